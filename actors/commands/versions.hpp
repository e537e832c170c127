// `--version`
#pragma once

#include <string>

namespace weir {

/// weir's, and those of the libraries that the protocol depends on, as they are
/// loaded.
std::string version_text();

} // namespace weir
