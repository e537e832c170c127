"""The benchmark's shapes: other jobs than the stock one, each beside the plain
loop doing the same work (shape.hpp)."""

import dataclasses
import json
import pathlib
import shutil
import statistics
import subprocess
import sys

import servers

# Of the loop's throughput; the job of many slow records has to reach more.
GOAL = 0.80
SLOW_GOAL = 0.90
# Longest time between two commits of a lane: this, or twice the loop's.
LONGEST_GAP_S = 1.0


@dataclasses.dataclass
class Shape:
    what: str
    partitions: int = 8
    records: int = 1_000_000
    keys: int = 2_000
    value_bytes: int = 0  # 0: ticks of about 100 bytes
    inputs: int = 1
    work_us: int = 0
    output: bool = True
    goal: float = GOAL
    # Of one partition; then weir is compared with itself without it.
    slow_us: int = 0
    seconds: int = 0


SHAPES = {
    "partitions-64": Shape("64 partitions", partitions=64),
    "partitions-256": Shape("256 partitions", partitions=256),
    "work-30us": Shape("30 us a record", work_us=30, records=500_000),
    "work-1ms": Shape("1 ms a record", work_us=1_000, records=20_000),
    "keys-1m": Shape("1 million uniform keys", keys=1_000_000,
                     value_bytes=100),
    "values-1k": Shape("values of 1 KB", value_bytes=1_000, records=300_000),
    "values-100k": Shape("values of 100 KB", value_bytes=100_000,
                         records=4_000),
    "inputs-8": Shape("8 inputs in one job", inputs=8, records=250_000),
    "backlog-64": Shape(
        "64 partitions, 30 us, no output, 3 million records",
        partitions=64, work_us=30, records=3_000_000, output=False,
        goal=SLOW_GOAL),
    "backlog-256": Shape(
        "256 partitions, 30 us, no output, 3 million records",
        partitions=256, work_us=30, records=3_000_000, output=False,
        goal=SLOW_GOAL),
    "backlog-1ms": Shape(
        "64 partitions, 1 ms, no output, 200,000 records", partitions=64,
        work_us=1_000, records=200_000, output=False, goal=SLOW_GOAL),
    "work-30ms": Shape(
        "64 partitions, 30 ms, no output, 4,000 records", partitions=64,
        work_us=30_000, records=4_000, output=False),
    "one-slow-task": Shape(
        "64 partitions, 30 us, one of them 200 ms", partitions=64, work_us=30,
        records=5_000_000, slow_us=200_000, seconds=60, goal=SLOW_GOAL),
}
SLOW_PARTITION = 5


class Runner:
    """Runs one shape after the other with a Bench's servers and options."""

    def __init__(self, bench, guarantee, interval_ms):
        self.b = bench
        self.a = bench.a
        self.guarantee = guarantee
        self.interval_ms = interval_ms

    def inputs(self, shape):
        return [f"shape-in{i}" for i in range(shape.inputs)]

    def fill(self, shape):
        for i, topic in enumerate(self.inputs(shape)):
            fill = ["fill", "--topic", topic, "--seed", i + 1,
                    "--count", shape.records, "--symbols", shape.keys,
                    "--partitions", shape.partitions]
            if shape.value_bytes:
                fill += ["--value-bytes", shape.value_bytes]
            self.b.topics(*map(str, fill))

    def command(self, job, name):
        if job == "plain":
            return [self.b.bin / "weir-bench-plain", "--shape",
                    "--kafka", self.b.kafka,
                    "--changelog-topic", f"{name}-changelog",
                    "--guarantee", self.guarantee,
                    "--commit-ms", self.interval_ms,
                    "--threads", self.a.threads]
        return [self.b.bin / "weir-bench-shape", "run",
                "--kafka", self.b.kafka,
                "--zookeeper", f"{self.b.zookeeper}/{name}", "--job", name,
                "--data", self.b.work / name, "--guarantee", self.guarantee,
                "--check-interval", f"{self.interval_ms}ms",
                "--threads", self.a.threads]

    def environment(self, shape, name, slow):
        out = dict(servers.environment())
        out["WEIR_SHAPE_INPUTS"] = ",".join(self.inputs(shape))
        out["WEIR_SHAPE_WORK_US"] = str(shape.work_us)
        if shape.output:
            out["WEIR_SHAPE_OUTPUT"] = f"{name}-changes"
        if slow:
            out["WEIR_SHAPE_SLOW_PARTITION"] = str(SLOW_PARTITION)
            out["WEIR_SHAPE_SLOW_US"] = str(shape.slow_us)
        return out

    def run(self, shape, job, slow=False):
        name = self.b.next_name(job)
        watched = f"{name}-changes" if shape.output else f"{name}-changelog"
        watch = [self.b.bin / "weir-bench-watch", "--kafka", self.b.kafka,
                 "--topic", watched, "--lanes", self.a.threads]
        command = self.command(job, name)
        if shape.seconds:
            watch += ["--seconds", shape.seconds, "--except", SLOW_PARTITION]
        else:
            watch += ["--expect", shape.records * shape.inputs]
        if job == "weir" and not shape.seconds:
            command.append("--until-drained")
        with self.b.log_file(name) as log:
            done = subprocess.run(
                [str(x) for x in watch + ["--"] + command], text=True,
                stdout=subprocess.PIPE, stderr=log,
                env=self.environment(shape, name, slow))
        if done.returncode != 0:
            print(pathlib.Path(log.name).read_text()[-2000:], file=sys.stderr)
            servers.fail(f"{job}, {shape.what}: the run failed")
        self.b.topics("delete", *(f"{name}-{x}" for x in (
            "changes", "changelog", "dead-letter")))
        shutil.rmtree(self.b.work / name, ignore_errors=True)
        return json.loads(done.stdout)

    def sides(self, shape):
        """What is compared: name, then how it runs; the first is the measure."""
        if shape.slow_us:
            return [("without", lambda: self.run(shape, "weir")),
                    ("with", lambda: self.run(shape, "weir", slow=True))]
        return [("plain", lambda: self.run(shape, "plain")),
                ("weir", lambda: self.run(shape, "weir"))]

    def measure(self, name):
        shape = SHAPES[name]
        shape = dataclasses.replace(
            shape, records=max(1, int(shape.records * self.a.scale)))
        self.fill(shape)
        out = {}
        for number in range(self.a.rounds):
            for side, run in self.sides(shape):
                out.setdefault(side, []).append(run())
                print(f"{name} round {number + 1} {self.guarantee} {side}: "
                      f"{json.dumps(out[side][-1])}", flush=True)
        self.b.topics("delete", *self.inputs(shape))
        return out


def median(runs, key):
    return statistics.median(x.get(key, 0) for x in runs)


def table(name, results):
    """Lines for one shape, and whether its goals are met."""
    shape = SHAPES[name]
    (_, base), (_, ours) = results.items()
    share = median(ours, "records_per_second") / median(
        base, "records_per_second")
    gap = median(ours, "longest_gap_s")
    gap_goal = max(LONGEST_GAP_S, 2 * median(base, "longest_gap_s"))
    lines = []
    for side, runs in results.items():
        line = (f"{name:15}{side:8}{median(runs, 'records_per_second'):11,.0f}"
                f"{median(runs, 'cpu_seconds_per_million'):9.2f}"
                f"{median(runs, 'peak_mb'):9.0f}"
                f"{median(runs, 'first_commit_s'):10.2f}"
                f"{median(runs, 'longest_gap_s'):9.2f}")
        if runs is ours:
            line += (f"   {share:.2f} of it, goal {shape.goal:.2f}; "
                     f"gap goal {gap_goal:.1f} s")
        lines.append(line)
    return lines, share >= shape.goal and gap <= gap_goal


def print_tables(everything):
    print(f"\n{'':15}{'':8}{'records/s':>11}{'CPU s/M':>9}{'peak MB':>9}"
          f"{'first s':>10}{'gap s':>9}")
    missed = []
    for name, results in everything.items():
        lines, met = table(name, results)
        print("\n".join(lines))
        if not met:
            missed.append(name)
    if missed:
        print(f"goals missed: {', '.join(missed)}")
    return not missed
