"""Servers that go away for a while during a run."""

import signal
import time

import programs
import servers

# Longer than the session and the requests' time-outs are.
OUTAGE_S = 20


class Outages(programs.ProgramTest):
    def outage(self, what, guarantee):
        self.generate(2_000)
        job = self.start("--guarantee", guarantee, "--session-timeout", "4s")
        job.wait_for("task.processing", count=8)
        self.servers.order("stop", what)
        # The outage has a length by definition: nothing is waited for here.
        time.sleep(OUTAGE_S)
        self.servers.order("start", what)
        self.generate(20_000, "--append", "--seed", "4")
        self.call("generate", "--synthetic", "10", "--append")
        # By itself: the same process goes on.
        self.assertIsNone(job.process.poll(), job.text()[-4000:])
        # Earlier, the exit code would rightly be 1: what was processed before
        # the outage and not committed has to be processed again.
        servers.wait_until(lambda: self.outputs() >= 22_010,
                           programs.DRAIN_LIMIT_S, "an output of each record")
        job.signal(signal.SIGTERM)
        self.assertEqual(job.finish(), 0, job.text()[-4000:])
        _, log = self.call("run", "--until-drained")
        return log

    def outputs(self):
        """Different ones: at-least-once repeats some."""
        return sum(len({(x["key"], x["value"])
                        for x in self.listed(self.output, p)})
                   for p in range(8))

    def test_broker_exactly_once(self):
        self.outage("kafka", "exactly-once")
        self.verify()

    def test_broker_at_least_once(self):
        self.outage("kafka", "at-least-once")
        self.verify("--at-least-once")

    def test_zookeeper(self):
        self.outage("zookeeper", "exactly-once")
        self.verify()


if __name__ == "__main__":
    programs.main(with_servers=True)
