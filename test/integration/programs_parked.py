"""One poison record of each kind in one of eight partitions: the other seven
drain, and `resume` finishes the eighth; exact but for that record."""

import os
import signal
from unittest import mock

import programs
import poison
from poison import BAD, PARTITIONS

# Longer than two thirds of the shortest transaction's time-out (13 s here). A
# task is tried six times, and each time this long.
HANG_MS = int(os.environ.get("WEIR_TEST_HANG_MS", "12000"))
KINDS = {
    "undecodable": ("no order", "bad_record"),
    "rejected": ("reject", "bad_record"),
    "exception": ("throw", "exception"),
    "output too large": ("output 2000000", "too_large"),
    "value too large": ("state 2000000", "too_large"),
}


class Parked(poison.PoisonTest):
    def story(self, value, kind):
        self.fill()
        first = self.poison(value)
        second = self.poison(value)
        last = self.run_job(code=3).splitlines()[-1]
        self.assertIn(f"task {BAD}", last)
        self.is_parked(kind, first)
        # Nobody touches it before there is a decision.
        self.run_job(code=3)
        self.is_parked(kind, first)
        self.call("resume", BAD, "--skip", "--reason", "a test")
        self.run_job(code=3)
        self.is_parked(kind, second)
        self.call("resume", BAD, "--dead-letter")
        self.run_job()
        self.assertEqual(self.parked(), [])
        self.check()
        self.assertEqual(self.dead_letters(), [("poison", value)])
        self.assertIn("; 0 records", self.run_job().splitlines()[-1])
        self.check()

    def test_try_again(self):
        """`resume` alone parks the task again while nothing has changed."""
        self.fill()
        at = self.poison("reject")
        self.run_job(code=3)
        before = self.is_parked("bad_record", at)
        self.call("resume", BAD)
        self.run_job(code=3)
        self.assertGreater(self.is_parked("bad_record", at)["when_ms"],
                           before["when_ms"])
        self.call("resume", BAD)
        self.run_job("--on-bad-record", "skip")
        self.assertEqual(self.parked(), [])
        self.check()

    def test_a_decision_that_was_not_carried_out(self):
        """The task stops again before it comes to the record."""
        self.fill()
        at = self.poison("throw")
        self.run_job(code=3)
        self.call("resume", BAD, "--skip")
        with mock.patch.dict(os.environ, POISON_TASK=str(BAD)):
            self.run_job(code=3)
        node, = self.parked()
        self.assertIn("thrown by a constructor", node["why"])
        self.assertEqual(node["offset"], -1)
        self.assertEqual([x["offset"] for x in node["kept"]], [at])
        out, _ = self.call("resume", BAD)
        self.assertIn("still to be carried out: skip of "
                      f"{self.input}/{BAD}@{at}", out)
        self.run_job()
        self.assertEqual(self.parked(), [])
        self.check()

    def test_exit_policy(self):
        self.fill()
        self.poison("throw")
        self.run_job("--on-task-stop", "exit", code=3)
        self.assertEqual(self.parked(), [])

    def test_a_running_job(self):
        """Parked and resumed while the other tasks go on; with ZooKeeper."""
        self.fill()
        at = self.poison("throw")
        job = self.start("--session-timeout", "2s")
        job.wait_for(rf"task\.parked .*task={BAD}\b")
        for p in range(PARTITIONS):
            if p != BAD:
                self.add(p, [(f"{p}-0", "5")])
        node, = self.parked()
        self.assertEqual(node["offset"], at)
        mark = job.mark()
        self.call("resume", BAD, "--skip")
        job.wait_for(rf"task\.processing .*task={BAD}\b", since=mark)
        self.add(BAD, [(f"{BAD}-0", "5")])
        job.signal(signal.SIGTERM)
        self.assertEqual(job.finish(), 0)
        self.run_job()
        self.assertEqual(self.parked(), [])
        self.check()


    def test_not_back(self):
        """One poison only: each takes six calls."""
        self.limit += 8 * HANG_MS // 1000
        self.fill()
        at = self.poison(f"hang {HANG_MS}")
        self.run_job(code=3)
        # Its sizes are with the call.
        node = self.is_parked("stuck", at, key_bytes=-1)
        self.assertIn("has not returned for", node["why"])
        self.call("resume", BAD, "--dead-letter")
        self.run_job()
        self.assertEqual(self.parked(), [])
        self.check()
        self.assertEqual(self.dead_letters(), [("poison", f"hang {HANG_MS}")])


def add_story(name, value, kind):
    def story(self):
        self.story(value, kind)
    setattr(Parked, "test_" + name.replace(" ", "_"), story)


for each, (order, kind_of_it) in KINDS.items():
    add_story(each, order, kind_of_it)

if __name__ == "__main__":
    programs.main(with_servers=True)
