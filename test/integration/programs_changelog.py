"""The stock job on changelogs that are torn, foreign, truncated or compacted:
edited behind its back, and compacted by a real broker."""

import collections
import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

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

    def check(self, repeated=False):
        """State and outputs are the fold of the input."""
        wanted = self.wanted()
        outputs = collections.defaultdict(list)
        for p in range(PARTITIONS):
            for each in self.listed(self.output, p):
                value = json.loads(bytes.fromhex(each["value"]))
                outputs[value.pop("symbol")].append(value)
        self.assertEqual(self.state(), {k: v[-1] for k, v in wanted.items()})
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

    def refused(self, *words, wiped):
        last = super().refused(f"{self.changelog}/{EDITED}", *words)
        if wiped:
            self.check_left_out()
        else:
            self.check()
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


class History(Edited):
    def test_history_is_whole(self):
        for p in range(PARTITIONS):
            self.assertGreater(
                sum(x["commit"] for x in self.entries(p)), 4)
        self.wipe()
        self.goes_on()

    def test_a_torn_transaction_is_ignored_and_repaired(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.append("--torn", "--epoch", self.highest_epoch() + 1)
                log = self.goes_on()
                self.assertRegex(log, r"task\.torn_transaction.*keys=1")

    def test_a_lost_commit_record(self):
        for wiped in WIPED:
            with self.copy(wiped):
                while self.entries()[-1]["commit"]:
                    self.edit("remove", EDITED, self.entries()[-1]["offset"])
                if wiped:
                    log = self.goes_on(repeated=True)
                    self.assertIn("task.torn_transaction", log)
                else:
                    self.refused("neither the commit", "R5", wiped=wiped)

    def check_damaged_history(self, verb, words):
        # The local databases have that part already.
        for wiped in WIPED:
            with self.copy(wiped):
                self.edit(verb, EDITED, self.last_commit()[0]["offset"])
                if wiped:
                    self.refused("R1", words, wiped=wiped)
                    self.refused("R1", words, wiped=wiped)
                else:
                    self.generate(300, "--append", "--seed", "77")
                    self.run_job()
                    self.check()

    def test_a_changed_record(self):
        self.check_damaged_history("rewrite", "checksum")

    def test_a_missing_record(self):
        self.check_damaged_history("remove", "records")

    def test_a_foreign_record(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.append("--no-header", "--torn")
                self.refused("header", wiped=wiped)

    def test_a_foreign_commit_record(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.append("--no-header")
                self.refused("header", wiped=wiped)

    def test_another_generation(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.append("--epoch", self.highest_epoch() + 1,
                            "--generation", "0123456789abcdef")
                self.refused("generation 0123456789abcdef", wiped=wiped)

    def test_a_lower_epoch(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.append("--epoch", self.highest_epoch() - 1)
                self.refused("R8", wiped=wiped)

    def test_reset_is_a_way_out(self):
        self.append("--epoch", "1")
        self.refused("R8", wiped=False)
        self.call("reset", "--yes")
        self.run_job()
        self.check(repeated=True)

    def test_compaction(self):
        records = self.entries()
        for at in (len(records) // 2, len(records)):
            for wiped in WIPED:
                with self.copy(wiped):
                    up_to = (records + [records[-1]])[at]["offset"] + (
                        at == len(records))
                    self.edit("compact", EDITED, up_to)
                    self.assertLess(len(self.entries()), len(records))
                    self.goes_on()

    def test_a_lost_tail(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.edit("drop-tail", EDITED,
                          self.entries()[len(self.entries()) // 2]["offset"])
                if wiped:
                    # Nothing tells it from a job that was stopped there.
                    self.goes_on(repeated=True)
                else:
                    self.refused("ends at", "R5", wiped=wiped)

    def test_a_lost_head(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.edit("drop-head", EDITED,
                          self.entries()[len(self.entries()) // 2]["offset"])
                if wiped:
                    self.refused("digest", wiped=wiped)
                    self.refused("digest", wiped=wiped)
                else:
                    self.generate(300, "--append", "--seed", "77")
                    self.run_job()
                    self.check()

    def test_a_recreated_changelog(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.edit("delete")
                self.edit("create", PARTITIONS, *CHECKED_SETTINGS)
                last = self.run_job(code=4).splitlines()[-1]
                self.assertIn("S2" if wiped else "R5", last)


class Compacted(Edited):
    """As the embedded log keeps it: only the last record of each key."""

    keep_history = False

    def test_only_the_last_records_are_there(self):
        keys = [x["key"] for x in self.entries()]
        self.assertEqual(len(keys), len(set(keys)))
        self.wipe()
        self.goes_on()

    def test_a_torn_transaction(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.append("--torn", "--epoch", self.highest_epoch() + 1)
                if wiped:
                    # It superseded the only copy of its key.
                    self.refused("digest", wiped=wiped)
                    continue
                # Without a record that would write the key again.
                self.assertIn("task.torn_transaction", self.run_job())
                self.check()
                self.wipe()
                self.goes_on()

    def test_a_changed_record(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.edit("rewrite", EDITED, self.entries()[0]["offset"])
                if wiped:
                    self.refused("digest", wiped=wiped)
                else:
                    self.run_job()
                    self.check()

    def test_a_missing_record(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.edit("remove", EDITED, self.entries()[0]["offset"])
                if wiped:
                    self.refused("digest", wiped=wiped)
                else:
                    self.run_job()
                    self.check()

    def test_the_commit_record_is_lost(self):
        for wiped in WIPED:
            with self.copy(wiped):
                commit, = [x for x in self.entries() if x["commit"]]
                self.edit("remove", EDITED, commit["offset"])
                last = self.run_job(code=4).splitlines()[-1]
                self.assertIn("S2" if wiped else "R5", last)


class Broker(ChangelogTest):
    """The same with a real broker, which compacts by itself."""

    def prepare(self, *more):
        super().generate(0, "--partitions", PARTITIONS)
        self.edit("create", PARTITIONS, *CHECKED_SETTINGS, *more)

    def test_edited(self):
        self.prepare()
        for seed in (1, 2):
            self.generate(2_000, "--append", "--seed", seed)
            self.run_job()
        for wiped in WIPED:
            if wiped:
                self.wipe()
            self.append("--torn", "--epoch", self.highest_epoch() + 1)
            log = self.run_job()
            self.assertRegex(log, r"task\.torn_transaction.*keys=1")
            self.verify()
            self.assertNotIn("task.torn_transaction", self.run_job())
        self.append("--epoch", self.highest_epoch() - 1)
        # Nothing takes it out again: all that follows is refused.
        for wiped in WIPED:
            if wiped:
                self.wipe()
            self.refused(f"{self.changelog}/{EDITED}", "R8")

    def compacted(self, partition, beyond):
        """The commits of the last owner, whose epoch is above `beyond`, if
        most of them are gone again: (epoch, written, left)."""
        commits = [x for x in self.entries(partition) if x["commit"]]
        if not commits or commits[-1]["epoch"] <= beyond:
            return None
        epoch, written = commits[-1]["epoch"], commits[-1]["sequence"]
        left = sum(x["epoch"] == epoch for x in commits)
        enough = written >= 10 and left < written / 2
        return (epoch, written, left) if enough else None

    def await_compaction(self, beyond):
        """The broker's cleaner says nothing: look until it has been there.
        Answers the epochs."""
        deadline = time.monotonic() + 120
        found = []
        while len(found) < PARTITIONS:
            self.assertLess(time.monotonic(), deadline, "nothing is compacted")
            found = [x for p in range(PARTITIONS)
                     if (x := self.compacted(p, beyond[p]))]
        return [epoch for epoch, _, _ in found]

    def test_compaction_under_kills(self):
        # A few commits fill a segment; all but the active one are cleaned.
        self.prepare("segment.bytes=16384", "min.cleanable.dirty.ratio=0.01")
        epochs = [0] * PARTITIONS
        for seed in range(1, 4):
            job = self.start("--check-interval", "10ms")
            job.wait_for("task.processing", count=PARTITIONS)
            feed = self.feed(15_000, 2_500, seed)
            epochs = self.await_compaction(epochs)
            job.signal(signal.SIGKILL)
            job.finish()
            self.wipe()
            self.assertEqual(feed.finish(), 0)
        self.run_job()
        self.verify()
        # And once more, from what is left alone.
        self.wipe()
        log = self.run_job()
        self.assertIn("; 0 records", log.splitlines()[-1])
        self.verify()
        for p in range(PARTITIONS):
            self.assertGreater(self.entries(p)[0]["offset"], 0)


if __name__ == "__main__":
    programs.main(with_servers=True)
