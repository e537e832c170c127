// What a program sees of a shared libweir: all else in it is hidden.
#pragma once

/// Defined in the library and called, subclassed or caught outside of it. Not
/// for templates: those are the program's own, as are its types.
#define WEIR_EXPORT __attribute__((visibility("default")))
/// A class inside of a visible one that stays inside of the library.
#define WEIR_HIDDEN __attribute__((visibility("hidden")))
