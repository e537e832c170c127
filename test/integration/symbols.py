"""What libweir.so shows to a program is what include/weir marks, and all of what
include/weir declares and the library defines is marked."""

import re
import subprocess

# Before the name in a mangled name: of a table, type, guard or thunk.
SPECIAL = re.compile(r"_Z(?:T[VTIS]|GV|Thn?\d+_|Tvn?\d+_n?\d+_)?N?V?K?")
SIZE = re.compile(r"\d+")
# Begins what a header declares and the library does not define.
NOT_DEFINED = re.compile("template|using|inline|constexpr|"
                         "(public|protected|private):")
NAMESPACES = ("weir", "detail", "testing")


def symbols(files, *options):
    """Kind and mangled name of each symbol that is defined."""
    told = subprocess.run(
        ["nm", "--defined-only", "--format=posix", *options, *map(str, files)],
        capture_output=True, text=True, check=True).stdout
    lines = [x.split() for x in told.splitlines()]
    return {(x[1], x[0]) for x in lines if len(x) > 2}


def path_of(name):
    """Of weir::detail::put(…) ["weir", "detail", "put"]."""
    found = SPECIAL.match(name)
    at, path = found.end() if found else 0, []
    while size := SIZE.match(name, at):
        at = size.end() + int(size[0])
        path.append(name[size.end():at])
    return path


def inner(path):
    """A path in weir without its namespaces: a function, or a class and what is
    in it. Empty for all else."""
    if path[:1] != ["weir"]:
        return []
    while path and path[0] in NAMESPACES:
        path = path[1:]
    return path


class Headers:
    """What the headers below a folder declare."""

    def __init__(self, folder):
        self.classes, self.shown, self.hidden = set(), set(), set()
        self.unmarked = []
        for path in sorted(folder.rglob("*.hpp")):
            text = re.sub(r"//.*|^#(?:.*\\\n)*.*", "", path.read_text(),
                          flags=re.M)
            self.classes |= set(re.findall(
                r"\b(?:class|struct) (?:WEIR_EXPORT )?(\w+)[^;(){]*\{", text))
            self.shown |= set(re.findall(
                r"WEIR_EXPORT (?:[^;(){]*?\b)?(\w+)(?:\(| :| final|\s*\{)",
                text))
            self.hidden |= set(re.findall(r"WEIR_HIDDEN (\w+)", text))
            # Functions of a namespace stand at the beginning of a line.
            self.unmarked += [
                f"{path.name}: without WEIR_EXPORT: {x}" for x in re.findall(
                    r"^([\w\[][^;{}]*\))(?: noexcept)?;", text, re.M)
                if not NOT_DEFINED.match(x) and "WEIR_EXPORT" not in x]


def problems(library, objects, folder):
    """Of a library that is made of these object files."""
    headers = Headers(folder)
    found = list(headers.unmarked)
    shown = {x for _, x in symbols([library], "--dynamic")}
    for name in sorted(shown):
        path = inner(path_of(name))
        if not path or path[0] not in headers.shown \
                or headers.hidden & set(path):
            found.append(f"{library.name} shows {name}")
    # T: inline functions are the program's own, too, and have another kind.
    for kind, name in sorted(symbols(objects)):
        path = inner(path_of(name))
        if kind == "T" and name not in shown and path \
                and path[0] in headers.classes \
                and (len(path) > 1 or re.search(r"[CD]\dE", name)) \
                and not headers.hidden & set(path):
            found.append(f"{library.name} hides {name}")
    if len(shown) < 50:
        found.append(f"{library.name} shows only {len(shown)} symbols")
    return found
