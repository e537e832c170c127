"""The stock job on changelogs that are torn, foreign, truncated or compacted:
edited behind its back, and compacted by a real broker."""

import signal
import time

import changelogs
import programs
from changelogs import CHECKED_SETTINGS, EDITED, PARTITIONS, WIPED


class History(changelogs.Edited):
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
                    self.refused("neither the commit", "nor a later", wiped=wiped,
                                 told=True)
                    self.adopted()

    def check_damaged_history(self, verb, words):
        # The local databases have that part already.
        for wiped in WIPED:
            with self.copy(wiped):
                self.edit(verb, EDITED, self.last_commit()[0]["offset"])
                if wiped:
                    self.refused("read twice", words, wiped=wiped)
                    self.refused("read twice", words, wiped=wiped)
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
                self.refused("header", wiped=wiped,
                             told=True)

    def test_a_foreign_commit_record(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.append("--no-header")
                self.refused("header", wiped=wiped,
                             told=True)

    def test_another_generation(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.append("--epoch", self.highest_epoch() + 1,
                            "--generation", "0123456789abcdef")
                self.refused("generation 0123456789abcdef", wiped=wiped,
                             told=True)
                _, log = self.call("adopt", "--yes", code=4)
                self.assertIn("0123456789abcdef", log.splitlines()[-1])
                self.assertNotIn("set aside", log)

    def test_a_lower_epoch(self):
        for wiped in WIPED:
            with self.copy(wiped):
                self.append("--epoch", self.highest_epoch() - 1)
                self.refused("deposed owner", wiped=wiped, told=True)
                _, log = self.call("adopt", "--yes", code=4)
                self.assertIn("comes after epoch", log.splitlines()[-1])
                self.assertNotIn("set aside", log)

    def test_reset_is_a_way_out(self):
        self.append("--epoch", "1")
        self.refused("deposed owner", wiped=False, told=True)
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
                    self.refused("ends at", "truncated", wiped=wiped, told=True)
                    self.adopted()

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
                self.assertRegex(last, "no commit is left" if wiped else
                                 "restored from a backup|nor a later one")
                self.adopted()

    def adopted(self):
        # As after a crash of the first between any two of its steps.
        for _ in range(2):
            self.call("adopt", "--yes")
        self.run_job()
        self.check(repeated=True)


class Compacted(changelogs.Edited):
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
                self.assertRegex(last, "no commit is left" if wiped else
                                 "restored from a backup|nor a later one")


class Broker(changelogs.ChangelogTest):
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
            self.refused(f"{self.changelog}/{EDITED}", "deposed owner")

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
