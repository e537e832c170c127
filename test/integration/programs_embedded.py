"""The stock job on the embedded default, as a user runs it."""

import collections
import csv
import json
import resource
import shutil
import signal
import subprocess

import programs
import servers

STOCKS = servers.ROOT / "apps" / "stock" / "stocks.csv"


def totals():
    out = collections.Counter()
    with open(STOCKS) as file:
        for row in csv.DictReader(file):
            out[row["symbol"]] += int(row["volume"])
    return dict(out)


class Embedded(programs.ProgramTest):
    def fill(self):
        self.call("generate", "--file", STOCKS)

    def test_bundled_prices_and_a_second_run(self):
        self.fill()
        self.call("run", "--until-drained")
        first = self.state()
        self.assertEqual({k: v["quantity"] for k, v in first.items()},
                         totals())
        # 2013-03-01, the file's last day.
        self.assertEqual(first["AAPL"]["price"], 430.47)
        _, log = self.call("run", "--until-drained")
        self.assertIn("; 0 records", log.splitlines()[-1])
        self.assertEqual(self.state(), first)

    def test_the_end_of_the_input_is_committed_at_once(self):
        self.fill()
        self.call("run", "--until-drained", "--check-interval", "10m")
        self.assertEqual({k: v["quantity"] for k, v in self.state().items()},
                         totals())

    def test_a_log_that_cannot_grow(self):
        self.fill()
        # As a full disk: every write beyond this size of a file fails.
        limit = 600_000
        done = subprocess.run(
            [str(x) for x in self.command("run", "--until-drained")],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=programs.DRAIN_LIMIT_S, restore_signals=False,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertEqual(done.returncode, 1, done.stderr[-4000:])
        self.assertIn("closed after a failed write",
                      done.stderr.splitlines()[-1])
        self.call("run", "--until-drained")
        self.assertEqual({k: v["quantity"] for k, v in self.state().items()},
                         totals())

    def test_start_positions_are_kept(self):
        """R3: what "latest" meant at first, not what it means at each start."""
        self.generate(300, "--seed", "1")
        latest = ["--until-drained", "--start", "latest"]
        _, log = self.call("run", *latest)
        self.assertIn("; 0 records", log.splitlines()[-1])
        self.generate(200, "--append", "--seed", "2")
        _, log = self.call("run", *latest)
        self.assertIn("; 200 records", log.splitlines()[-1])

    def test_both_guarantees_agree(self):
        self.fill()
        self.call("run", "--until-drained")
        exact = self.state()
        self.data = self.work / "other"
        self.fill()
        self.call("run", "--until-drained", "--guarantee", "at-least-once")
        self.assertEqual(self.state(), exact)

    def test_killed_and_restarted(self):
        self.fill()
        for _ in range(3):
            job = self.start("--check-interval", "5ms")
            job.wait_for("task.processing")
            job.signal(signal.SIGKILL)
            job.finish()
        self.call("run", "--until-drained")
        self.assertEqual({k: v["quantity"] for k, v in self.state().items()},
                         totals())

    def test_state_comes_back_from_the_changelog(self):
        self.fill()
        self.call("run", "--until-drained")
        before = self.state()
        shutil.rmtree(self.data / "tasks")
        self.call("run", "--until-drained")
        self.assertEqual(self.state(), before)

    def test_a_log_without_its_file_current_is_refused(self):
        self.fill()
        self.call("run", "--until-drained")
        before = self.state()
        current = self.data / "embedded" / "db" / "CURRENT"
        kept = current.rename(self.work / "CURRENT")
        for _ in range(2):
            _, log = self.call("run", "--until-drained", code=4)
            self.assertIn("CURRENT", log.splitlines()[-1])
        kept.rename(current)
        self.assertEqual(self.state(), before)

    def test_damage_that_a_read_finds_is_mended_from_the_changelog(self):
        self.call("generate", "--synthetic", "40000", "--symbols", "20000")
        self.call("run", "--until-drained")
        exact = self.state()
        # The second opening makes tables of the first one's log.
        self.call("run", "--until-drained")
        tables = sorted((self.data / "tasks").rglob("*.ldb"))
        self.assertTrue(tables)
        for table in tables:
            content = bytearray(table.read_bytes())
            content[len(content) // 2] ^= 0xff
            table.write_bytes(content)
        self.call("generate", "--synthetic", "40000", "--symbols", "20000",
                  "--seed", "1", "--append")
        _, log = self.call("run", "--until-drained")
        self.assertIn("task.rebuild", log)
        now = self.state()
        self.assertEqual({k: v["quantity"] for k, v in now.items()},
                         {k: 2 * v["quantity"] for k, v in exact.items()})

    def test_another_input_of_the_same_name_is_refused(self):
        self.generate(500, "--seed", "1")
        self.call("run", "--until-drained")
        before = self.state()
        self.tool("weir-edit-log", "delete", self.input)
        self.generate(900, "--seed", "2")
        for _ in range(2):
            _, log = self.call("run", "--until-drained", code=4)
            self.assertIn("recreated", log.splitlines()[-1])
            self.assertIn(self.input, log.splitlines()[-1])
        self.assertEqual(self.state(), before)

    def test_sigterm_commits_and_leaves(self):
        self.fill()
        job = self.start()
        job.wait_for("task.processing", count=8)
        job.signal(signal.SIGTERM)
        self.assertEqual(job.finish(), 0)
        self.call("run", "--until-drained")
        self.assertEqual({k: v["quantity"] for k, v in self.state().items()},
                         totals())

    def test_get(self):
        self.fill()
        self.call("run", "--until-drained")
        out, _ = self.call("get", "AAPL")
        self.assertEqual(json.loads(out), self.state()["AAPL"])
        _, log = self.call("get", "NONE", code=1)
        self.assertIn("NONE", log)

    def test_running_job_is_named(self):
        self.fill()
        job = self.start()
        job.wait_for("task.processing")
        for verb in (["dump"], ["get", "AAPL"], ["run"], ["reset", "--yes"]):
            _, log = self.call(*verb, code=1)
            self.assertIn(str(job.process.pid), log)
        job.signal(signal.SIGTERM)
        self.assertEqual(job.finish(), 0)

    def test_reset(self):
        self.fill()
        self.call("run", "--until-drained")
        before = self.state()
        self.call("reset", code=2)
        self.assertEqual(self.state(), before)
        self.call("reset", "--yes")
        self.call("dump", code=1)
        _, log = self.call("run", "--until-drained")
        self.assertIn("12154 records", log)
        self.assertEqual(self.state(), before)

    def test_topology(self):
        out, _ = self.call("topology", "--json")
        self.assertEqual(json.loads(out)["inputs"], ["ticks"])
        out, _ = self.call("topology")
        self.assertIn("quotes", out)

    def test_wrong_command_lines(self):
        for arguments, text in [
            (["run", "--kafka", "127.0.0.1:1"], "--zookeeper"),
            (["run", "--check-interval", "5"], "check-interval"),
            (["run", "--guarantee", "twice"], "at-least-once, exactly-once"),
            (["run", "--nonsense"], "--nonsense"),
        ]:
            _, log = self.call(*arguments, code=2)
            self.assertIn(text, log)

    def test_settings_file(self):
        file = self.work / "weir.toml"
        file.write_text('check-interval = "7ms"\nthreads = 1\n')
        self.fill()
        _, log = self.call("run", "--until-drained", "--config", file)
        self.assertIn("12154 records", log)
        file.write_text('check-interval = "7ms"\ncolour = "red"\n')
        _, log = self.call("run", "--config", file, code=2)
        self.assertIn("colour", log)
        file.write_text('check-interval = \n')
        _, log = self.call("run", "--config", file, code=2)
        self.assertIn("weir.toml", log)

    def test_generate_refuses_a_filled_topic(self):
        self.generate(100)
        _, log = self.call("generate", "--synthetic", "1", code=1)
        self.assertIn("--append", log)
        self.generate(50, "--append")
        _, log = self.call("run", "--until-drained")
        self.assertIn("150 records", log)

    BAD = [{"key": "A", "value": "no json"},
           {"key": "A", "value": '{"symbol":"A","price":1.5}'},
           {"key": "A", "value": '{"symbol":"A","price":0,"quantity":1}'},
           {"key": "", "value": '{"symbol":"","price":1,"quantity":1}'},
           {"key": "A", "value": '{"symbol":"B","price":1,"quantity":1}'},
           {"key": "A", "size": 700_000}]
    GOOD = {"key": "A", "value": '{"symbol":"A","price":2.5,"quantity":3}'}

    def fill_bad(self):
        self.generate(0, "--partitions", "2")
        self.put(1, [self.GOOD, *[x for bad in self.BAD
                                  for x in (bad, self.GOOD)]])

    def test_bad_records_skip(self):
        self.fill_bad()
        _, log = self.call("run", "--until-drained", "--on-bad-record", "skip",
                           "--max-record-bytes", "500000")
        self.assertIn(f"{len(self.BAD)} of them bad", log)
        self.assertEqual(self.state()["A"]["quantity"],
                         3 * (1 + len(self.BAD)))

    def test_bad_records_dead_letter(self):
        self.fill_bad()
        self.call("run", "--until-drained", "--on-bad-record", "dead-letter",
                  "--max-record-bytes", "500000")
        self.assertEqual(self.state()["A"]["quantity"],
                         3 * (1 + len(self.BAD)))

    def test_bad_record_fails(self):
        self.generate(0, "--partitions", "2")
        self.put(1, [self.GOOD, self.GOOD, self.BAD[2], self.GOOD])
        _, log = self.call("run", "--on-task-stop", "exit", code=3)
        last = log.splitlines()[-1]
        for word in ("ticks/1", "offset 2", "price"):
            self.assertIn(word, last)
        # Everything before it is committed, nothing behind it.
        self.assertEqual(self.state()["A"]["quantity"], 6)
        self.call("run", "--until-drained", "--on-bad-record", "skip")
        self.assertEqual(self.state()["A"]["quantity"], 9)


if __name__ == "__main__":
    programs.main(with_servers=False)
