"""Library headers stay in their folders, and layers point one way."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Header prefix -> where it may be included.
ALLOWED = {
    "librdkafka/": ("runtime/kafka/", "test/"),
    "zookeeper/": ("runtime/zookeeper/", "test/"),
    "leveldb/": ("stores/", "runtime/embedded/", "test/"),
    "caf/": ("actors/", "apps/", "test/"),
    "actors/": ("actors/", "apps/", "test/"),
    "apps/": ("apps/", "test/"),
    "stores/": ("stores/", "actors/", "apps/", "test/"),
    "test/": ("test/",),
    "runtime/kafka/": ("runtime/kafka/", "actors/commands/", "test/"),
    "runtime/zookeeper/": ("runtime/zookeeper/", "actors/commands/", "test/"),
    "runtime/embedded/": ("runtime/embedded/", "actors/commands/", "test/"),
}
# What the embedded log's LevelDB directory and those of the tasks share.
SHARED = {"runtime/embedded/owner_file.hpp", "runtime/embedded/lost_data.hpp"}
# Public headers must not bring a library's headers into user code.
PRIVATE = ("librdkafka/", "zookeeper/", "leveldb/", "spdlog/", "CLI/",
           "toml++/", "xxhash")
PUBLIC_ROOTS = ["actors/weir.hpp", "runtime/stream.hpp",
                "runtime/coordination.hpp", "stores/kv_store.hpp",
                "runtime/kafka/kafka.hpp", "runtime/zookeeper/zookeeper.hpp",
                "runtime/embedded/streams.hpp"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.M)


def includes(path):
    return INCLUDE.findall(path.read_text())


def reachable(start):
    seen, todo = set(), [start]
    while todo:
        for name in includes(ROOT / todo.pop()):
            if name not in seen:
                seen.add(name)
                if (ROOT / name).is_file():
                    todo.append(name)
    return seen


def main():
    problems = []
    files = 0
    for folder in ("runtime", "stores", "actors", "apps", "test"):
        for path in sorted((ROOT / folder).rglob("*.[ch]pp")):
            files += 1
            place = path.relative_to(ROOT).as_posix()
            for name in includes(path):
                for prefix, where in ALLOWED.items():
                    if name in SHARED and place.startswith("stores/"):
                        continue
                    if name.startswith(prefix) and not place.startswith(where):
                        problems.append(f"{place} includes {name}")
    for start in PUBLIC_ROOTS:
        for name in sorted(reachable(start)):
            if name.startswith(PRIVATE):
                problems.append(f"{start} drags {name} into user code")
    if files < 100:
        problems.append(f"only {files} files were found below {ROOT}")
    print("\n".join(problems) or f"{files} files: no layer crossed")
    return 1 if problems else 0


sys.exit(main())
