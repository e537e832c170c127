"""What `reset` and `adopt` look at before they ask, and how they ask."""

import os
import pty
import re
import signal
import subprocess

import programs


class Reset(programs.ProgramTest):
    def not_asked(self, verb, text, code=1):
        _, log = self.call(verb, code=code)
        self.assertIn(text, log)
        self.assertNotIn("Type its name", log)
        return log

    def asked(self, verb, answer, code):
        """At a terminal; what it says."""
        ours, theirs = pty.openpty()
        try:
            os.write(ours, answer.encode() + b"\n")
            done = subprocess.run(
                [str(x) for x in self.command(verb)], stdin=theirs,
                capture_output=True, text=True, timeout=60)
        finally:
            os.close(ours)
            os.close(theirs)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn("Type its name", done.stderr)
        return done.stderr

    def test_a_running_job_is_seen_first(self):
        self.generate(100)
        job = self.start()
        job.wait_for("task.processing", count=8)
        for verb in ("reset", "adopt"):
            self.not_asked(verb, str(job.process.pid))
        job.signal(signal.SIGTERM)
        self.assertEqual(job.finish(), 0)

    def test_a_job_that_does_not_exist(self):
        self.generate(100)
        for verb in ("reset", "adopt"):
            self.not_asked(verb, f"there is no job 'stock-{self.name}'")
        self.call("reset", "--yes", code=1)

    def test_how_it_asks(self):
        self.generate(100)
        self.call("run", "--until-drained")
        exact = self.state()
        for verb in ("reset", "adopt"):
            self.not_asked(verb, "no terminal to confirm that at: give --yes",
                           code=2)
        self.assertIn("nothing was deleted", self.asked("reset", "stock", 1))
        self.assertIn("nothing was changed", self.asked("adopt", "", 1))
        self.assertEqual(self.state(), exact)
        self.asked("adopt", f"stock-{self.name}", 0)
        self.asked("reset", f"stock-{self.name}", 0)
        self.not_asked("reset", "there is no job")

    def test_what_is_left_without_the_job(self):
        self.generate(100)
        self.call("run", "--until-drained")
        self.znode("remove", f"/weir/stock-{self.name}/job")
        self.call("reset", "--yes")
        self.assertFalse((self.data / "tasks" / f"stock-{self.name}").exists())
        self.not_asked("reset", "there is no job")


class WithServers(Reset):
    """The same through ZooKeeper."""

    def test_an_owner_that_is_no_member_at_the_moment(self):
        self.generate(100)
        job = self.start()
        joined, = job.wait_for("membership.joined")
        job.wait_for("task.processing", count=8)
        # It would join again.
        job.signal(signal.SIGSTOP)
        member = re.search(r"member=(\S+)", joined).group(1)
        self.znode("remove", f"/weir/stock-{self.name}/members/{member}")
        for verb in ("reset", "adopt"):
            self.not_asked(verb, str(job.process.pid))


class Embedded(Reset):
    servers = None


del Reset

if __name__ == "__main__":
    programs.main(with_servers=True)
