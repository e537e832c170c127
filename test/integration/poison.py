"""The job whose records say how they harm it, in eight partitions with one bad
one; what its outputs and its state have to be."""

import collections
import json

import programs

PARTITIONS = 8
BAD = 3


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


class PoisonTest(programs.ProgramTest):
    limit = programs.DRAIN_LIMIT_S

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
                         *more, code=code, limit=self.limit)[1]

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

    def is_parked(self, kind, offset, key_bytes=len("poison")):
        self.check(stopped_at=offset)
        node, = self.parked()
        self.assertEqual(
            [node[x] for x in ("task", "kind", "topic", "partition", "offset",
                               "decision", "key_bytes")],
            [BAD, kind, self.input, BAD, offset, "none", key_bytes])
        self.assertTrue(node["why"])
        return node

    def dead_letters(self):
        return [(bytes.fromhex(x["key"]).decode(),
                 bytes.fromhex(x["value"]).decode())
                for x in self.listed(f"stock-{self.name}-dead-letter", BAD)]
