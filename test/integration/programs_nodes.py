"""Two processes of one job: who waits, who takes over, who was replaced."""

import signal

import programs

PARTITIONS = 8


class Nodes(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.other = self.work / "other"

    def test_second_process_waits_and_takes_over(self):
        self.generate(5_000)
        first = self.start()
        first.wait_for("task.processing", count=PARTITIONS)
        second = self.start(data=self.other)
        second.wait_for(f"task.waiting .*process {first.process.pid} on",
                        count=PARTITIONS)
        self.generate(5_000, "--append", "--seed", "2")
        first.signal(signal.SIGTERM)
        self.assertEqual(first.finish(), 0)
        second.wait_for("task.processing", count=PARTITIONS)
        second.signal(signal.SIGTERM)
        self.assertEqual(second.finish(), 0)
        self.call("run", "--until-drained", data=self.other)
        self.verify(dump=False)

    def test_a_killed_process_is_succeeded_at_once(self):
        self.generate(5_000)
        first = self.start()
        first.wait_for("task.processing", count=PARTITIONS)
        second = self.start(data=self.other)
        second.wait_for("task.waiting", count=PARTITIONS)
        first.signal(signal.SIGKILL)
        first.finish()
        second.wait_for("task.processing", count=PARTITIONS, limit=30)
        second.signal(signal.SIGTERM)
        self.assertEqual(second.finish(), 0)

    def test_until_drained_waits_for_the_tasks_of_another(self):
        self.generate(5_000)
        first = self.start()
        first.wait_for("task.processing", count=PARTITIONS)
        # The group offsets of the first say that its tasks are at their ends.
        self.call("run", "--until-drained", data=self.other)
        first.signal(signal.SIGTERM)
        self.assertEqual(first.finish(), 0)
        self.verify()

    def paused_past_its_session(self, guarantee):
        options = ["--session-timeout", "2s", "--guarantee", guarantee,
                   "--check-interval", "50ms"]
        self.generate(2_000)
        first = self.start(*options)
        first.wait_for("task.processing", count=PARTITIONS)
        feed = self.feed(40_000, 4_000, seed=5)
        second = self.start(*options, data=self.other)
        second.wait_for("task.waiting", count=PARTITIONS)
        first.signal(signal.SIGSTOP)
        second.wait_for("task.processing", count=PARTITIONS)
        mark = first.mark()
        first.signal(signal.SIGCONT)
        # It says that it was replaced, and waits for the one that has the
        # tasks now.
        first.wait_for("task.replaced|node.session_lost|fenced", since=mark)
        first.wait_for(f"task.waiting .*process {second.process.pid} on",
                       since=mark)
        self.assertEqual(feed.finish(), 0)
        for job in (first, second):
            job.signal(signal.SIGTERM)
            self.assertEqual(job.finish(), 0)
        self.call("run", "--until-drained")

    def test_a_paused_owner_is_fenced_exactly_once(self):
        self.paused_past_its_session("exactly-once")
        self.verify()

    def test_a_paused_owner_is_fenced_at_least_once(self):
        self.paused_past_its_session("at-least-once")
        self.verify("--at-least-once")


if __name__ == "__main__":
    programs.main(with_servers=True)
