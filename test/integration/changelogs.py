"""Jobs whose changelogs are edited behind their backs, for tests."""

import collections
import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile

import programs

PARTITIONS = 2
# The changelog partition that is edited.
EDITED = 1
WIPED = (False, True)
WEEK_MS = 7 * 24 * 3600 * 1000
CHECKED_SETTINGS = ["cleanup.policy=compact",
                    "message.timestamp.type=LogAppendTime",
                    f"delete.retention.ms={WEEK_MS}"]


def fold(records):
    """The outputs that each key must have, in order; the last is its state."""
    out = collections.defaultdict(list)
    for each in records:
        tick = json.loads(bytes.fromhex(each["value"]))
        past = out[bytes.fromhex(each["key"]).decode()]
        rate, sum_before = 0, 0
        if past:
            price = past[-1]["price"]
            rate = (tick["price"] - price) / price * 100
            sum_before = past[-1]["quantity"]
        past.append({"price": tick["price"], "change_rate": rate,
                     "quantity": sum_before + tick["quantity"]})
    return dict(out)


class ChangelogTest(programs.ProgramTest):
    def edit(self, verb, *words):
        return self.tool("weir-edit-log", verb, self.changelog, *words)

    def append(self, *words):
        self.edit("append", EDITED, *words)

    def entries(self, partition=EDITED):
        return self.listed(self.changelog, partition)

    @property
    def changelog(self):
        return f"stock-{self.name}-changelog"

    def wipe(self):
        shutil.rmtree(self.data / "tasks")

    def highest_epoch(self):
        return max(x["epoch"] for x in self.entries())

    def run_job(self, code=0):
        return self.call("run", "--until-drained", code=code)[1]

    def refused(self, *words):
        """The job stops with an explanation and changes nothing."""
        before = self.entries()
        last = self.run_job(code=4).splitlines()[-1]
        for word in words:
            self.assertIn(word, last)
        self.assertEqual(self.entries(), before)
        return last


class Edited(ChangelogTest):
    """Embedded. A job that was run four times, its changelog whole: each test
    edits a copy of it, with the local databases and without."""

    servers = None
    keep_history = True

    @classmethod
    def setUpClass(cls):
        cls.base = pathlib.Path(tempfile.mkdtemp(prefix="weir-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        maker = cls("make_base")
        maker.setUp()
        try:
            maker.make_base()
            maker.data.rename(cls.base / "data")
        finally:
            maker.doCleanups()

    def setUp(self):
        super().setUp()
        self.name = "edited"
        if (self.base / "data").exists():
            self.restart()

    def restart(self):
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.base / "data", self.data)

    def make_base(self):
        self.generate(0, "--partitions", PARTITIONS)
        if self.keep_history:
            self.edit("create", PARTITIONS, *CHECKED_SETTINGS,
                      f"min.compaction.lag.ms={WEEK_MS}")
        # A key that only the first commits have.
        self.put(EDITED, [{"key": "ONCE", "value": json.dumps(
            {"symbol": "ONCE", "price": 7, "quantity": 3})}])
        for seed in range(1, 5):
            self.generate(500, "--append", "--seed", seed)
            self.run_job()
        self.check()

    def generate(self, count, *more):
        return self.call("generate", "--synthetic", count, "--symbols", 20,
                         *more)

    @contextlib.contextmanager
    def copy(self, wiped):
        """With the local databases or without."""
        with self.subTest(wiped=wiped):
            self.restart()
            if wiped:
                self.wipe()
            yield

    def wanted(self):
        out = {}
        for p in range(PARTITIONS):
            out |= fold(self.listed(self.input, p))
        return out

    def check(self, repeated=False, told=False):
        """State and outputs are the fold of the input; `told`: `dump` says that
        the changelog is another one."""
        wanted = self.wanted()
        outputs = collections.defaultdict(list)
        for p in range(PARTITIONS):
            for each in self.listed(self.output, p):
                value = json.loads(bytes.fromhex(each["value"]))
                outputs[value.pop("symbol")].append(value)
        self.assertEqual(self.state(code=1 if told else 0),
                         {k: v[-1] for k, v in wanted.items()})
        if repeated:
            for key, values in wanted.items():
                for value in values:
                    self.assertIn(value, outputs[key])
        else:
            self.assertEqual(outputs, wanted)

    def goes_on(self, repeated=False):
        """With more input; then from the changelog alone."""
        self.generate(300, "--append", "--seed", "77")
        log = self.run_job()
        self.check(repeated)
        self.wipe()
        self.generate(100, "--append", "--seed", "78")
        later = self.run_job()
        self.assertNotIn("task.torn_transaction", later)
        self.check(repeated)
        return log

    def refused(self, *words, wiped, told=False):
        last = super().refused(f"{self.changelog}/{EDITED}", *words)
        if wiped:
            self.check_left_out()
        else:
            self.check(told=told)
        return last

    def check_left_out(self):
        """What a refused restore left is not shown as a state."""
        done = subprocess.run([str(x) for x in self.command("dump")],
                              capture_output=True, text=True, timeout=60)
        self.assertIn(f"task {EDITED} is left out", done.stderr)
        wanted = self.wanted()
        edited = fold(self.listed(self.input, EDITED))
        for row in map(json.loads, done.stdout.splitlines()):
            self.assertNotIn(row["key"], edited)
            self.assertEqual(row["value"], wanted[row["key"]][-1])

    def last_commit(self, with_entries=True):
        """The records of the last commit, its commit record at the end."""
        commits = collections.defaultdict(list)
        for each in self.entries():
            commits[each["epoch"], each["sequence"]].append(each)
        found = [x for x in commits.values() if len(x) > 1 or not with_entries]
        self.assertTrue(found[-1][-1]["commit"])
        return found[-1]
