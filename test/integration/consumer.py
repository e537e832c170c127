"""README's application as its users build it, with what README says: each build
runs, and counts right."""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import servers
import symbols

# All that weir's own build finds, but CAF: a user of libweir.so needs none.
HIDDEN_PACKAGES = ("RdKafka", "ZooKeeper", "leveldb", "fmt", "spdlog",
                   "nlohmann_json", "simdjson", "xxHash", "CLI11",
                   "tomlplusplus", "jemalloc")


def call(*command, env=None, **more):
    done = subprocess.run([str(x) for x in command], capture_output=True,
                          text=True, env=servers.environment() | (env or {}),
                          **more)
    if done.returncode != 0:
        servers.fail(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}"
                     f"{done.stderr[-4000:]}")
    return done


class Readme:
    """What README.md tells to type."""

    def __init__(self):
        text = (servers.ROOT / "README.md").read_text()
        self.application, self.test = re.findall(r"```cpp\n(.*?)```", text,
                                                 re.S)[:2]
        self.package = re.search(r"```cmake\n(.*?)```", text, re.S)[1]
        self.subdirectory = re.sub(
            r"find_package\(.*\)",
            re.search(r"`(add_subdirectory\(.*?\))`", text)[1], self.package)
        self.command = re.search(r"^c\+\+ .*pkg-config.*$", text, re.M)[0]
        self.lines = self.application.strip().count("\n") + 1
        if self.lines > 36:
            servers.fail(f"README's example has {self.lines} lines, more than "
                         "36")

    def write(self, where, cmake):
        """A project of it, as it says there: definitions and task in a header,
        and a test of them."""
        shutil.copytree(servers.ROOT / "test" / "consumer", where,
                        dirs_exist_ok=True)
        (where / "readme.cmake").write_text(cmake)
        (where / "my-job.cpp").write_text(self.application)
        (where / "words.hpp").write_text(
            "#pragma once\n" + self.application.partition("int main")[0])
        (where / "words_test.cpp").write_text(self.test)
        return where


def build(project, *settings):
    where = project / "build"
    call("cmake", "-S", project, "-B", where, "-G", "Ninja", *settings)
    call("cmake", "--build", where, "-j",
         os.environ.get("JOBS", os.cpu_count()))
    return where


def with_package(readme, work, prefix, *settings):
    project = readme.write(work / "package", readme.package)
    check(build(project, f"-DCMAKE_PREFIX_PATH={prefix}", *settings))


def finding(prefix):
    """The environment in which pkg-config and the loader look there."""
    found = next(prefix.rglob("weir.pc")).parent
    return {"PKG_CONFIG_PATH": str(found), "LD_LIBRARY_PATH": str(found.parent)}


def with_pkg_config(readme, work, prefix):
    """Answers what `pkg-config --libs` tells."""
    project = readme.write(work / "pkg-config", "")
    env = finding(prefix)
    call("sh", "-c", readme.command, cwd=project, env=env)
    of_test = readme.command
    for old, new in (("my-job.cpp", "words_test.cpp"), ("my-job", "words-test"),
                     ("weir", "weir-testing")):
        of_test = of_test.replace(old, new)
    call("sh", "-c", of_test, cwd=project, env=env)
    check(project, env)
    return call("pkg-config", "--libs", "weir", env=env).stdout.split()


def test_the_driver(work, prefix):
    """The driver's own test: exceptions, virtual calls and casts between a
    program and libweir.so, of which each hides what is its own."""
    sources = (f"{servers.ROOT / 'test' / x}"
               for x in ("unit/driver/driver_test.cpp", "main.cpp"))
    call("sh", "-c", f"c++ -fvisibility=hidden {' '.join(sources)} -o driver-test"
         f" -I {servers.ROOT} $(pkg-config --cflags --libs weir-testing)",
         cwd=work, env=finding(prefix))
    call(work / "driver-test", env=finding(prefix))


def with_subdirectory(readme, work, *settings):
    """Compiles all of weir, and keeps it for the next time."""
    project = readme.write(work, readme.subdirectory)
    if not (project / "weir").exists():
        (project / "weir").symlink_to(servers.ROOT, target_is_directory=True)
    where = build(project, *settings)
    check(where)
    return where


def check(where, env=None):
    call(where / "words-test", env=env)
    with tempfile.TemporaryDirectory() as data:
        def job(verb, *more, **how):
            return call(where / "my-job", verb, *more, "--data", data, env=env,
                        **how).stdout

        job("produce", input="to be or not\nnot to be\n")
        for _ in range(2):
            job("run", "--until-drained")
        seen = job("dump")
        found = {x["key"]: x["value"] for x in map(json.loads,
                                                   seen.splitlines())}
        if found != {"be": 2, "not": 2, "or": 1, "to": 2}:
            servers.fail(f"the example counted {found}")
        if (one := job("get", "be").strip()) != "2":
            servers.fail(f"`get be` says {one}")
        told = job("consume").splitlines()
        if sorted(told) != ["be\t1", "be\t2", "not\t1", "not\t2", "or\t1",
                            "to\t1", "to\t2"]:
            servers.fail(f"the example told {told}")


def static(readme, work, installed_from):
    prefix = work / "installed"
    call("cmake", "--install", installed_from, "--prefix", prefix)
    with_package(readme, work, prefix)
    with_pkg_config(readme, work, prefix)
    return "by find_package and pkg-config"


def shared(readme, work, kept):
    where = with_subdirectory(readme, kept, "-DWEIR_SHARED=ON")
    prefix = work / "installed"
    call("cmake", "--install", where, "--prefix", prefix)
    library = next(prefix.rglob("libweir.so"))
    dynamic = call("readelf", "--dynamic", library).stdout
    if not re.search(r"soname: \[libweir\.so\.\d+\.\d+\]", dynamic):
        servers.fail(f"libweir.so has no soname of a minor version:\n{dynamic}")
    if "jemalloc" in dynamic:
        servers.fail("libweir.so chooses its host's allocator")
    if problems := symbols.problems(
            library, where.rglob("*.o"), servers.ROOT / "include" / "weir"):
        servers.fail("\n".join(problems))
    with_package(readme, work, prefix,
                 *(f"-DCMAKE_DISABLE_FIND_PACKAGE_{x}=ON"
                   for x in HIDDEN_PACKAGES))
    told = with_pkg_config(readme, work, prefix)
    if [x for x in told if x.startswith("-l")] != ["-lweir", "-lcaf_core"]:
        servers.fail(f"a user of libweir.so is told to link {told}")
    test_the_driver(work, prefix)
    return ("by add_subdirectory, find_package and pkg-config, and libweir.so "
            "shows what include/weir declares")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--form", required=True, choices=("static", "shared"))
    a = parser.parse_args()
    readme = Readme()
    work = pathlib.Path(tempfile.mkdtemp(prefix="weir-consumer-"))
    if a.form == "static":
        done = static(readme, work, a.build)
    else:
        done = shared(readme, work, a.build / "consumer")
    print(f"README's example ({readme.lines} lines) builds {done}; it runs and "
          "counts right")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
