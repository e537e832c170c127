"""docs/guide says what is so: its links lead somewhere, its tests pass, and its
commands print what it shows."""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent
                       / "integration"))
import guide_text  # noqa: E402
import messages  # noqa: E402
import servers  # noqa: E402

SERVERS = "<!-- servers -->"
# The addresses that the guide shows.
KAFKA, ZOOKEEPER = "127.0.0.1:9092", "127.0.0.1:2181"
LIMIT = 60


def pattern_of(shown):
    """A line "..." is any lines, "..." in a line is anything in it."""
    out = ""
    for line in shown.splitlines():
        if line.strip() == "...":
            out += r"(?:[^\n]*\n)*?"
        else:
            out += re.escape(line).replace(re.escape("..."), r"[^\n]*") + r"\n"
    return re.compile(out)


def commands_of(block):
    """(line, command, what it shows) of a console block."""
    out = []
    for i, line in enumerate(block.text.splitlines()):
        if line.startswith("$ "):
            out.append([block.line + i, line[2:], ""])
        elif not out:
            raise guide_text.Fault(f"{block.place}: output before a command")
        elif line.startswith("> ") and not out[-1][2]:
            out[-1][1] += "\n" + line[2:]
        else:
            out[-1][2] += line + "\n"
    return out


class Shell:
    """Runs a page's commands in a directory of its own."""

    def __init__(self, work, programs, started):
        self.work = work
        self.started = started
        self.environment = servers.environment()
        self.environment["PATH"] = (f"{programs}{os.pathsep}"
                                    + self.environment["PATH"])

    def run(self, where, command, shown):
        if self.started:
            command = (command.replace(KAFKA, self.started.kafka)
                       .replace(ZOOKEEPER, self.started.zookeeper))
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.work, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
        told = done.stdout
        if self.started:
            told = (told.replace(self.started.kafka, KAFKA)
                    .replace(self.started.zookeeper, ZOOKEEPER))
        if told and not told.endswith("\n"):
            told += "\n"
        if done.returncode != 0:
            raise guide_text.Fault(f"{where}: {command}\nends with "
                                   f"{done.returncode}, and told\n{told}")
        if not pattern_of(shown).fullmatch(told):
            raise guide_text.Fault(f"{where}: {command}\nis shown with\n{shown}"
                                   f"but told\n{told}")


def run_page(page, blocks, programs, started):
    count = 0
    work = pathlib.Path(tempfile.mkdtemp(prefix="weir-guide-"))
    shell = Shell(work, programs, started)
    for block in blocks:
        if block.language != "console":
            continue
        for line, command, shown in commands_of(block):
            shell.run(f"{page.relative_to(guide_text.ROOT)}:{line}", command,
                      shown)
            count += 1
    shutil.rmtree(work)
    return count


def run_tests(programs):
    count = 0
    for test in sorted(programs.glob("*_test")):
        done = subprocess.run([str(test)], capture_output=True, text=True,
                              timeout=LIMIT, env=servers.environment())
        if done.returncode != 0:
            raise guide_text.Fault(f"{test.name}:\n{done.stdout}{done.stderr}")
        count += 1
    return count


def check(a):
    by_page = {x: guide_text.blocks_of(x) for x in guide_text.pages()}
    blocks = [x for each in by_page.values() for x in each]
    guide_text.check_quotes(blocks, guide_text.files(blocks))
    root = guide_text.ROOT
    for page in (*by_page, root / "README.md", root / "CONTRIBUTING.md"):
        guide_text.check_links(page)
    explained = messages.check()
    tests = run_tests(a.programs)
    commands = 0
    with contextlib.ExitStack() as until:
        started = None
        for page, its in by_page.items():
            needs = SERVERS in page.read_text()
            if needs and not started:
                data = tempfile.mkdtemp(prefix="weir-guide-servers-")
                until.callback(shutil.rmtree, data)
                started = until.enter_context(servers.Servers(a.bin, data))
            commands += run_page(page, its, a.programs,
                                 started if needs else None)
    print(f"{len(by_page)} pages: {tests} tests and {commands} commands do "
          f"what is shown, {explained} messages are those of the code")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    try:
        check(parser.parse_args())
    except guide_text.Fault as problem:
        servers.fail(str(problem))


if __name__ == "__main__":
    main()
