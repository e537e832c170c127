"""One poison record of each kind in one of eight partitions: the other seven
drain, and `resume` finishes the eighth; exact but for that record."""

import collections
import json
import signal

import programs

PARTITIONS = 8
BAD = 3
# A call may take two thirds of the shortest transaction's time-out.
HANG_MS = 30_000
KINDS = {
    "undecodable": ("no order", "bad_record"),
    "rejected": ("reject", "bad_record"),
    "exception": ("throw", "exception"),
    "output too large": ("output 2000000", "too_large"),
    "value too large": ("state 2000000", "too_large"),
    "not back": (f"hang {HANG_MS}", "stuck"),
}


def fold(records):
    """Outputs and state that these (key, value) make."""
    sums = collections.defaultdict(int)
    outputs = []
    for key, value in records:
        sums[key] += int(value)
        outputs.append(f"{key}={sums[key]}")
    return outputs, {k: str(v) for k, v in sums.items()}


def whole(records):
    return [x for x in records if x[1].lstrip("-").isdigit()]


class Parked(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.output = f"totals-{self.name}"
        self.topics = ["--input-topic", self.input,
                       "--output-topic", self.output]
        self.records = {p: [] for p in range(PARTITIONS)}
        self.tool("weir-edit-log", "create", self.input, PARTITIONS)

    def command(self, verb, *more, data=None):
        words = super().command(verb, *more, data=data)
        return [self.binary("weir-poison-job"), *words[1:]]

    def fill(self, count=40):
        for p, known in self.records.items():
            self.add(p, [(f"{p}-{i % 3}", str(i + 1)) for i in range(count)])

    def add(self, partition, records):
        self.records[partition] += records
        self.put(partition, [{"key": k, "value": v} for k, v in records])

    def poison(self, value):
        """Answers its offset; good records follow."""
        offset = len(self.records[BAD])
        self.add(BAD, [("poison", value)])
        self.add(BAD, [(f"{BAD}-{i}", "7") for i in range(3)])
        return offset

    def run_job(self, *more, code=0):
        return self.call("run", "--until-drained", "--session-timeout", "2s",
                         *more, code=code)[1]

    def outputs(self, partition):
        return [bytes.fromhex(x["value"]).decode()
                for x in self.listed(self.output, partition)]

    def check(self, stopped_at=None):
        """Outputs and state: those of a fold without any poison; of the bad
        partition only up to where it stopped."""
        expected = {}
        for p, records in self.records.items():
            if p == BAD and stopped_at is not None:
                records = records[:stopped_at]
            outputs, state = fold(whole(records))
            self.assertEqual(self.outputs(p), outputs, f"partition {p}")
            expected |= state
        self.assertEqual(self.state(), expected)

    def parked(self):
        out, _ = self.call("resume", "--json")
        return [json.loads(x) for x in out.splitlines()]

    def is_parked(self, kind, offset):
        self.check(stopped_at=offset)
        node, = self.parked()
        self.assertEqual(
            [node[x] for x in ("task", "kind", "topic", "partition", "offset",
                               "decision", "key_bytes")],
            [BAD, kind, self.input, BAD, offset, "none", len("poison")])
        self.assertTrue(node["why"])
        return node

    def dead_letters(self):
        return [(bytes.fromhex(x["key"]).decode(),
                 bytes.fromhex(x["value"]).decode())
                for x in self.listed(f"stock-{self.name}-dead-letter", BAD)]

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


def add_story(name, value, kind):
    def story(self):
        self.story(value, kind)
    setattr(Parked, "test_" + name.replace(" ", "_"), story)


for each, (order, kind_of_it) in KINDS.items():
    add_story(each, order, kind_of_it)

if __name__ == "__main__":
    programs.main(with_servers=True)
