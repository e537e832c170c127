"""Every file is in a room, rooms point one way, libraries stay in theirs."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = ("runtime", "stores", "actors", "apps")
# What users include, and the layers are built with.
HEADERS = "include/weir"

# The rooms and what each may include of other rooms: what a newcomer reads
# first. A room that isn't here, or an arrow that isn't, is an error, and so is
# an arrow that nobody needs.
ROOMS = {
    # Errors, time, threads, the log.
    "runtime/base": (),
    # Bytes of numbers, checksums.
    "runtime/bytes": (),
    # Topics and what is in them: the interface that log and Kafka implement.
    "runtime/stream": (),
    # Znodes: the interface that ZooKeeper and its embedded likeness implement.
    "runtime/coordination": (),
    # What a user declares and sets.
    "runtime/job": ("runtime/base", "runtime/stream"),
    # A directory with a database: owner, files, damage, room on the disk.
    "runtime/leveldb": ("runtime/base",),
    "runtime/embedded/log": ("runtime/base", "runtime/leveldb",
                             "runtime/stream"),
    "runtime/embedded/coordination": ("runtime/base", "runtime/coordination",
                                      "runtime/leveldb"),
    "runtime/kafka": ("runtime/base", "runtime/stream"),
    "runtime/zookeeper": ("runtime/base", "runtime/coordination"),
    # What stands in a changelog, and whether its commits are whole.
    "stores/changelog": ("runtime/base", "runtime/bytes", "runtime/stream"),
    # A task's directory on the disk.
    "stores/database": ("runtime/base", "runtime/bytes", "runtime/leveldb",
                        "stores/changelog"),
    # The stores that a task sees: overlay and cache over the database.
    "stores/kv": ("runtime/base", "runtime/bytes", "runtime/leveldb",
                  "stores/changelog"),
    # From a changelog to a state.
    "stores/replay": ("runtime/base", "runtime/bytes", "runtime/leveldb",
                      "runtime/stream", "stores/changelog", "stores/database",
                      "stores/kv"),
    # What stops a task, and what becomes of it.
    "actors/failure": ("runtime/base",),
    # From a task to its lane's producer.
    "actors/send": ("runtime/base", "runtime/stream"),
    # What the actors of a node share.
    "actors/base": ("runtime/base", "runtime/coordination", "runtime/job",
                    "runtime/leveldb", "runtime/stream"),
    # Who owns a task: the znode, and how it changes hands.
    "actors/claim": ("runtime/coordination", "actors/base"),
    # The user's class and all round it.
    "actors/task": ("runtime/base", "runtime/stream",
                    "stores/database", "stores/kv", "stores/replay",
                    "actors/base", "actors/failure", "actors/send"),
    # A task on its way: claim, fence, restore.
    "actors/bring_up": ("runtime/base", "runtime/job", "runtime/leveldb",
                        "actors/base", "actors/claim", "actors/failure",
                        "actors/send", "actors/task"),
    # The checkpoint actor: one producer, its transactions, its tasks.
    "actors/lane": ("runtime/base", "runtime/job", "actors/base",
                    "actors/bring_up", "actors/claim", "actors/failure",
                    "actors/task"),
    # The session.
    "actors/membership": ("runtime/base", "actors/base"),
    # One process of the job.
    "actors/node": ("runtime/base", "runtime/job", "actors/base",
                    "actors/bring_up", "actors/lane", "actors/membership"),
    # A node with all that it runs on, inside any program; feeding and reading.
    "actors/host": ("runtime/base", "runtime/embedded/coordination",
                    "runtime/embedded/log", "runtime/job", "runtime/kafka",
                    "runtime/leveldb", "runtime/stream", "runtime/zookeeper",
                    "stores/kv", "actors/base", "actors/node", "actors/task"),
    # The verbs of an application's binary, one file each.
    "actors/commands": ("runtime/base", "runtime/bytes", "runtime/job",
                        "runtime/kafka",
                        "runtime/leveldb",
                        "runtime/stream", "runtime/zookeeper",
                        "stores/changelog", "stores/database", "stores/replay",
                        "actors/base", "actors/claim", "actors/failure",
                        "actors/host"),
    "apps/stock": ("runtime/stream",),
}

# Library header -> the rooms that may include it.
LIBRARIES = {
    "librdkafka/": ("runtime/kafka",),
    "zookeeper/": ("runtime/zookeeper",),
    "leveldb/": ("runtime/leveldb",),
    "caf/": ("actors", "apps/"),
    "CLI/": ("actors/commands", "apps/"),
    "toml++/": ("actors/commands",),
    "spdlog/": ("runtime/base",),
    "simdjson": ("stores/kv", "apps/stock"),
}
# The public headers that any layer may include; those of a task or a node are
# for actors and apps.
VALUES = {"weir/error.hpp", "weir/record.hpp", "weir/serde.hpp", "weir/format.hpp",
          "weir/json.hpp", "weir/store.hpp", "weir/job.hpp", "weir/policies.hpp",
          "weir/log.hpp", "weir/settings.hpp", "weir/detail/json_value.hpp",
          "weir/detail/key_order.hpp", "weir/detail/store_core.hpp"}
# Public headers must not bring a library's headers into user code, nor what is
# not installed.
PRIVATE = ("librdkafka/", "zookeeper/", "leveldb/", "spdlog/", "CLI/",
           "toml++/", "xxhash", "simdjson", "fmt/", "runtime/", "stores/",
           "actors/")
PUBLIC_ROOTS = ["include/weir/weir.hpp"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.M)


def includes(path):
    return INCLUDE.findall(path.read_text())


def folder(name):
    return name.rpartition("/")[0]


def reachable(start):
    seen, todo = set(), [ROOT / start]
    while todo:
        for name in includes(todo.pop()):
            if name not in seen:
                seen.add(name)
                todo += [x for x in (ROOT / name, ROOT / "include" / name)
                         if x.is_file()]
    return seen


def circles(arrows):
    """The rooms that can be left by arrows and reached again."""
    found = []
    for start in arrows:
        seen, todo = set(), [start]
        while todo:
            for room in arrows.get(todo.pop(), ()):
                if room not in seen:
                    seen.add(room)
                    todo.append(room)
        if start in seen:
            found.append(start)
    return found


def check(root, rooms):
    """Problems, and how many files were looked at."""
    problems, files, used = [], 0, set()
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.[ch]pp")):
            files += 1
            place = path.relative_to(root).as_posix()
            room = folder(place)
            if room not in rooms:
                problems.append(f"{place} is in no room")
                continue
            for name in includes(path):
                for prefix, where in LIBRARIES.items():
                    if name.startswith(prefix) and not room.startswith(where):
                        problems.append(f"{place} includes {name}")
                if name.startswith("weir/") and name not in VALUES \
                        and layer in ("runtime", "stores"):
                    problems.append(f"{place} includes {name}")
                other = folder(name)
                if other == room or not name.startswith(
                        tuple(x + "/" for x in LAYERS + ("test",))):
                    continue
                used.add((room, other))
                if other not in rooms[room]:
                    problems.append(f"{place} includes {name}")
    for room, others in rooms.items():
        problems += [f"{room} doesn't need {x}: take it from the list"
                     for x in others if (room, x) not in used]
    problems += [f"{x} is in a circle of rooms" for x in circles(rooms)]
    for path in sorted((root / HEADERS).rglob("*.hpp")):
        files += 1
        for name in includes(path):
            if name.endswith(".hpp") and not name.startswith(("weir/", "caf/")):
                problems.append(f"{path.relative_to(root)} includes {name}, "
                                "which is not installed")
    return problems, files


def main():
    problems, files = check(ROOT, ROOMS)
    for start in PUBLIC_ROOTS:
        for name in sorted(reachable(start)):
            if name.startswith(PRIVATE):
                problems.append(f"{start} drags {name} into user code")
    if files < 100:
        problems.append(f"only {files} files were found below {ROOT}")
    if not circles({"a": ("b",), "b": ("c",), "c": ("a",)}):
        problems.append("the check for circles finds none where there is one")
    print("\n".join(problems) or f"{files} files in {len(ROOMS)} rooms: "
          "every arrow goes one way")
    return 1 if problems else 0


sys.exit(main())
