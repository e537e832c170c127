"""Installs weir, builds README's example against it as a user would, runs it."""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import servers


def call(*command, **more):
    done = subprocess.run([str(x) for x in command], capture_output=True,
                          text=True, env=servers.environment(), **more)
    if done.returncode != 0:
        servers.fail(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}"
                     f"{done.stderr[-4000:]}")
    return done


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--build", required=True)
    a = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="weir-consumer-"))
    readme = (servers.ROOT / "README.md").read_text()
    blocks = re.findall(r"```cpp\n(.*?)```", readme, re.S)
    example = blocks[0]
    lines = example.strip().count("\n") + 1
    if lines > 36:
        servers.fail(f"README's example has {lines} lines, more than 36")
    shutil.copytree(servers.ROOT / "test" / "consumer", work / "project")
    (work / "project" / "word_count.cpp").write_text(example)
    # As it says there: definitions and task in a header, and a test of them.
    (work / "project" / "words.hpp").write_text(
        "#pragma once\n" + example[:example.index("int main")])
    (work / "project" / "words_test.cpp").write_text(blocks[1])
    call("cmake", "--install", a.build, "--prefix", work / "installed")
    call("cmake", "-S", work / "project", "-B", work / "build", "-G", "Ninja",
         f"-DCMAKE_PREFIX_PATH={work / 'installed'}")
    call("cmake", "--build", work / "build")

    call(work / "build" / "words-test")
    program = work / "build" / "word-count"
    data = work / "data"
    call(program, "produce", "--data", data, input="to be or not\nnot to be\n")
    for _ in range(2):
        call(program, "run", "--data", data, "--until-drained")
    seen = call(program, "dump", "--data", data).stdout
    found = {x["key"]: x["value"] for x in map(json.loads, seen.splitlines())}
    if found != {"be": 2, "not": 2, "or": 1, "to": 2}:
        servers.fail(f"the example counted {found}")
    told = call(program, "consume", "--data", data).stdout.splitlines()
    if sorted(told) != ["be\t1", "be\t2", "not\t1", "not\t2", "or\t1",
                        "to\t1", "to\t2"]:
        servers.fail(f"the example told {told}")
    print(f"README's example ({lines} lines) builds, runs and counts right")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
