"""What the tests of whole programs share: the stock job and its judges."""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import servers

START_LIMIT_S = 60
DRAIN_LIMIT_S = 180

OPENING = ("run", "generate", "produce", "consume", "get", "dump", "resume",
           "reset", "adopt")
WITH_OUTPUTS = ("run", "consume", "topology")
WITH_INPUTS = (*WITH_OUTPUTS, "generate", "produce")


class Running:
    """A process whose log is followed line by line."""

    def __init__(self, command):
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [str(x) for x in command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", env=servers.environment())
        self.reader = threading.Thread(target=self.follow, daemon=True)
        self.reader.start()

    def follow(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip())
                self.changed.notify_all()
        with self.changed:
            self.lines.append("---- end of the log")
            self.changed.notify_all()

    def text(self):
        with self.changed:
            return "\n".join(self.lines)

    def mark(self):
        with self.changed:
            return len(self.lines)

    def wait_for(self, pattern, limit=START_LIMIT_S, since=0, count=1):
        """The first `count` lines that match; fails the test otherwise."""
        deadline = time.monotonic() + limit
        with self.changed:
            while True:
                found = [x for x in self.lines[since:] if re.search(pattern, x)]
                if len(found) >= count:
                    return found
                left = deadline - time.monotonic()
                ended = self.lines and self.lines[-1].startswith("----")
                if left <= 0 or ended:
                    raise AssertionError(
                        f"no '{pattern}' ({len(found)} of {count}) in:\n"
                        + "\n".join(self.lines[-40:]))
                self.changed.wait(left)

    def signal(self, number):
        self.process.send_signal(number)

    def finish(self, limit=DRAIN_LIMIT_S):
        try:
            code = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError("it did not end:\n" + self.text()[-4000:])
        self.close()
        return code

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.close()

    def close(self):
        self.reader.join()
        self.process.stdout.close()


class ProgramTest(unittest.TestCase):
    """One job with a directory of its own; with servers, a chroot and topics
    of its own."""

    binaries = None
    servers = None
    number = 0

    def setUp(self):
        ProgramTest.number += 1
        self.name = f"t{ProgramTest.number}"
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="weir-test-"))
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.data = self.work / "data"
        self.input = f"ticks-{self.name}" if self.servers else "ticks"
        self.output = f"changes-{self.name}" if self.servers else "changes"
        self.where = []
        if self.servers:
            self.chroot = f"{self.servers.zookeeper}/{self.name}"
            self.where = ["--kafka", self.servers.kafka,
                          "--zookeeper", self.chroot]
        self.topics = ["--input-topic", self.input,
                       "--output-topic", self.output]

    def binary(self, name):
        return self.binaries / name

    def command(self, verb, *more, data=None):
        """With those of the options for where the job is that it has."""
        where = [*self.where, "--data", data or self.data]
        return [self.binary("weir-stock"), verb,
                *(where if verb in OPENING else []),
                "--job", f"stock-{self.name}",
                *(self.topics[:2] if verb in WITH_INPUTS else []),
                *(self.topics[2:] if verb in WITH_OUTPUTS else []), *more]

    def start(self, *more, data=None):
        running = Running(self.command("run", *more, data=data))
        self.addCleanup(running.end)
        return running

    def call(self, verb, *more, code=0, data=None, limit=DRAIN_LIMIT_S):
        """Runs a command; its standard output and standard error."""
        done = subprocess.run(
            [str(x) for x in self.command(verb, *more, data=data)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=limit, env=servers.environment())
        self.assertEqual(done.returncode, code,
                         f"{verb}: {done.stderr[-4000:]}{done.stdout[-500:]}")
        return done.stdout, done.stderr

    def generate(self, count, *more):
        return self.call("generate", "--synthetic", str(count),
                         "--symbols", "100", *more)

    def feed(self, count, rate, seed):
        running = Running(self.command(
            "generate", "--synthetic", str(count), "--symbols", "100",
            "--rate", str(rate), "--seed", str(seed), "--append"))
        self.addCleanup(running.end)
        return running

    def put(self, partition, records):
        where = self.where[:2] if self.servers else ["--data", self.data]
        done = subprocess.run(
            [str(x) for x in [self.binary("weir-put-records"), *where,
                              self.input, partition]],
            input="".join(json.dumps(x) + "\n" for x in records), text=True,
            capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)

    def tool(self, name, *words):
        where = self.where[:2] if self.servers else ["--data", self.data]
        done = subprocess.run(
            [str(x) for x in [self.binary(name), *where, *words]],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stderr}")
        return done.stdout

    def listed(self, topic, partition):
        """Its committed records; keys and values in hex."""
        out = self.tool("weir-edit-log", "list", topic, partition)
        return [json.loads(x) for x in out.splitlines()]

    def znode(self, *words):
        """Of a stopped job, where there are no servers."""
        where = self.chroot if self.servers else str(self.data.resolve())
        done = subprocess.run(
            [str(self.binary("weir-znode")), where, *words],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def state(self, data=None, code=0):
        out, _ = self.call("dump", data=data, code=code)
        rows = [json.loads(x) for x in out.splitlines()]
        self.assertEqual([x["key"] for x in rows],
                         sorted(x["key"] for x in rows))
        return {x["key"]: x["value"] for x in rows}

    def verify(self, *more, dump=True):
        """Compares input, output and state with a separate computation."""
        arguments = ["check", "--kafka", self.servers.kafka,
                     "--input-topic", self.input,
                     "--output-topic", self.output, *more]
        if dump:
            file = self.work / "dump.json"
            file.write_text(self.call("dump")[0])
            arguments += ["--dump", str(file)]
        done = subprocess.run([str(self.binary("weir-verify-stock")),
                               *arguments], capture_output=True, text=True,
                              timeout=DRAIN_LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout


def main(with_servers):
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin")
    known, rest = parser.parse_known_args()
    ProgramTest.binaries = servers.find_binaries(known.bin)
    arguments = [sys.argv[0], "-v", *rest]
    if not with_servers:
        unittest.main(argv=arguments, module="__main__")
    work = tempfile.mkdtemp(prefix="weir-servers-")
    with servers.Servers(ProgramTest.binaries, pathlib.Path(work)) as running:
        ProgramTest.servers = running
        result = unittest.main(argv=arguments, module="__main__", exit=False)
    shutil.rmtree(work, ignore_errors=True)
    sys.exit(0 if result.result.wasSuccessful() else 1)
