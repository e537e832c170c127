"""Starts the test servers for scripts, and programs beside them."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def fail(text):
    print(f"error: {text}", file=sys.stderr)
    sys.exit(1)


def is_sanitized(build):
    """Several times slower: what is measured there is worth nothing."""
    cache = build / "CMakeCache.txt"
    return cache.exists() and re.search(
        r"^WEIR_SANITIZE:\w+=.", cache.read_text(), re.MULTILINE)


def find_binaries(given):
    """The directory with weir's binaries: as told, or the newest build without
    a sanitizer."""
    if given:
        return pathlib.Path(given).resolve()
    found = sorted(
        (x for x in ROOT.glob("build/*/bin/weir-test-servers")
         if not is_sanitized(x.parents[1])),
        key=lambda x: x.stat().st_mtime,
    )
    if not found:
        fail("no binaries in build/*/bin: build first, or name them by --bin "
             "(those of a sanitizer's build are used only if named)")
    return found[-1].parent


class Servers:
    """A Kafka broker and a ZooKeeper on free loopback ports, until closed."""

    def __init__(self, binaries, data, zookeeper=True):
        command = [str(binaries / "weir-test-servers"), "--kafka"]
        if zookeeper:
            command.append("--zookeeper")
        command += ["--data", str(data)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if not line:
            fail("the test servers did not start (see above)")
        addresses = json.loads(line)
        self.kafka = addresses["kafka"]
        self.zookeeper = addresses.get("zookeeper", "")

    def order(self, verb, what):
        """verb: stop, start, pause or resume; what: kafka or zookeeper."""
        self.process.stdin.write(f"{verb} {what}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer != "done":
            fail(f"{verb} {what}: {answer or 'the servers have ended'}")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def stop(process, limit=60):
    """SIGTERM and wait; answers the exit code, None if it had to be killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def wait_until(condition, limit, what, interval=0.02):
    """Polls; ends the script with `what` when the limit passes."""
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            fail(f"after {limit} s: {what}")
        time.sleep(interval)


def environment():
    """Without colour codes in the logs that scripts read."""
    return dict(os.environ, NO_COLOR="1", TERM="dumb")
