"""What happens to a job's topics: records that retention deletes before they
are read, inputs that grow, limits of size."""

import os
import signal
from unittest import mock

import poison
from poison import BAD, PARTITIONS
import programs
import servers


class Topics(poison.PoisonTest):
    def edit(self, *words):
        self.tool("weir-edit-topic", *words)

    def lose(self, count=40, more=20, gone=15):
        """Drains, then deletes the first of what comes after; the gap."""
        self.fill(count)
        self.run_job()
        self.fill(more)
        self.edit("trim", self.input, BAD, count + gone)
        return count, count + gone

    def forget(self, first, until):
        """The fold goes on behind the gap."""
        del self.records[BAD][first:until]

    def test_lost_input_is_parked_and_skipped(self):
        first, until = self.lose()
        last = self.run_job(code=4).splitlines()[-1]
        self.assertIn(f"task {BAD}", last)
        node = self.is_parked("lost_input", first, key_bytes=-1)
        self.assertEqual(node["until"], until)
        self.assertIn(str(until - first), node["why"])
        self.run_job(code=4)
        self.is_parked("lost_input", first, key_bytes=-1)
        self.call("resume", BAD, "--skip")
        printed = self.run_job()
        self.assertRegex(printed, rf"input\.lost .*records={until - first}\b")
        self.forget(first, until)
        self.assertEqual(self.parked(), [])
        self.check()

    def test_lost_input_and_continue(self):
        first, until = self.lose()
        printed = self.run_job("--on-lost-input", "continue")
        self.assertRegex(printed, rf"input\.lost .*from={first} to={until - 1} "
                                  rf"records={until - first}\b")
        self.assertEqual(self.parked(), [])
        self.forget(first, until)
        self.check()

    def test_an_output_too_large_by_policy(self):
        self.fill()
        self.poison("output 2000000")
        self.run_job("--on-bad-record", "skip")
        self.check()
        self.poison("output 2000000")
        self.run_job("--on-bad-record", "dead-letter")
        self.check()
        self.assertEqual(self.dead_letters(), [("poison", "output 2000000")])
        self.assertEqual(self.parked(), [])

    def test_a_topic_that_takes_less_than_a_batch(self):
        """Set before the job and below a running one."""
        self.fill()
        self.tool("weir-edit-log", "create", self.output, PARTITIONS,
                  "max.message.bytes=4000")
        job = self.start("--session-timeout", "2s")
        self.wait_for_outputs(self.output)
        self.edit("set", self.output, "max.message.bytes", "2000")
        self.fill(200)
        self.wait_for_outputs(self.output)
        job.signal(signal.SIGTERM)
        self.assertEqual(job.finish(), 0)
        self.check()

    def wait_for_outputs(self, topic):
        servers.wait_until(
            lambda: all(len(self.listed(topic, p)) == len(known)
                        for p, known in self.records.items()),
            programs.DRAIN_LIMIT_S, "every record has its output")

    def test_an_input_that_grows(self):
        """The job waits for its operator; what it has read is committed."""
        self.fill()
        self.tool("weir-edit-log", "create", self.output, PARTITIONS)
        job = self.start("--session-timeout", "2s")
        self.wait_for_outputs(self.output)
        self.edit("grow", self.input, 2 * PARTITIONS)
        job.wait_for(rf"input\.partitions .*{self.input}.*"
                     rf"{2 * PARTITIONS}.*{PARTITIONS}")
        job.signal(signal.SIGTERM)
        self.assertEqual(job.finish(), 0)
        _, printed = self.call("run", "--until-drained", code=1)
        self.assertIn(f"has {PARTITIONS} partitions, the inputs have "
                      f"{2 * PARTITIONS}", printed)
        self.check()


class TwoInputs(poison.PoisonTest):
    """Both have keys of their own; BAD's partition has what is lost or bad."""

    def setUp(self):
        super().setUp()
        self.first = self.input
        self.second = f"more-{self.name}"
        self.tool("weir-edit-log", "create", self.second, PARTITIONS)
        patch = mock.patch.dict(os.environ, POISON_SECOND=self.second)
        patch.start()
        self.addCleanup(patch.stop)
        self.left = []
        self.ends = {self.first: 0, self.second: 0}

    def feed(self, topic, count, *values):
        """Numbers, then `values`, as one partition's next records."""
        records = [(f"{topic}-{i % 3}", str(i + 1)) for i in range(count)]
        records += [("poison", x) for x in values]
        self.input = topic
        self.put(BAD, [{"key": k, "value": v} for k, v in records])
        self.input = self.first
        self.ends[topic] += len(records)
        return records

    def lose(self, topic, count=20, gone=15):
        """The gap in front of what is left: [first, until)."""
        first = self.ends[topic]
        self.left += self.feed(topic, count)[gone:]
        self.tool("weir-edit-topic", "trim", topic, BAD, first + gone)
        return first, first + gone

    def check(self):
        """Of each input in its order, whichever came first."""
        outputs, state = poison.fold(self.left)
        self.assertEqual(sorted(self.outputs(BAD)), sorted(outputs))
        self.assertEqual(self.state(), state)

    def test_both_lose_records(self):
        self.left = self.feed(self.first, 40) + self.feed(self.second, 30)
        self.run_job()
        one, two = self.lose(self.first), self.lose(self.second)
        self.run_job(code=4)
        node, = self.parked()
        self.assertEqual((node["topic"], node["offset"], node["until"]),
                         (self.first, *one))
        self.assertEqual(node["more_gaps"], [{
            "topic": self.second, "offset": two[0], "until": two[1]}])
        self.call("resume", BAD, "--skip")
        self.run_job()
        self.assertEqual(self.parked(), [])
        self.check()

    def test_a_gap_before_a_record_that_was_decided_about_is_passed(self):
        self.left = self.feed(self.first, 40) + self.feed(self.second, 30)
        self.run_job()
        bad = self.ends[self.first]
        self.feed(self.first, 0, "throw")
        self.run_job(code=3)
        node, = self.parked()
        self.assertEqual((node["topic"], node["offset"]), (self.first, bad))
        gap = self.lose(self.second)
        self.call("resume", BAD, "--skip")
        self.run_job(code=4)
        node, = self.parked()
        self.assertEqual((node["topic"], node["offset"], node["until"]),
                         (self.second, *gap))
        self.assertEqual([(x["topic"], x["offset"]) for x in node["kept"]],
                         [(self.first, bad)])
        self.call("resume", BAD, "--skip")
        self.run_job()
        self.assertEqual(self.parked(), [])
        self.check()


if __name__ == "__main__":
    programs.main(with_servers=True)
