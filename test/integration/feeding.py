"""`produce` and `consume` in every mode; on the embedded log, and on Kafka."""

import base64
import json
import signal
import subprocess

import poison
import programs
import servers


class Feeding(poison.PoisonTest):
    """The job with text on both sides: key, tab, whole number."""

    def setUp(self):
        programs.ProgramTest.setUp(self)
        self.output = f"totals-{self.name}"
        self.topics = ["--input-topic", self.input,
                       "--output-topic", self.output]

    def produce(self, text, *more, code=0):
        if isinstance(text, str):
            text = text.encode()
        if self.servers and "--partitions" not in more:
            more = [*more, "--partitions", "8"]
        done = subprocess.run(
            [str(x) for x in self.command("produce", *more)], input=text,
            capture_output=True, timeout=60, env=servers.environment())
        log = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, code, log)
        return log

    def consume(self, *more, code=0):
        done = subprocess.run(
            [str(x) for x in self.command("consume", *more)],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
            env=servers.environment())
        self.assertEqual(done.returncode, code,
                         done.stderr.decode(errors="replace"))
        # Whatever is in the records, this is text.
        return done.stdout.decode().splitlines()

    def records(self, *more):
        return [json.loads(x) for x in self.consume("--json", *more)]

    def test_what_is_fed_is_processed_and_read(self):
        log = self.produce("a\t1\nb\t2\na\t3")
        self.assertIn(f"3 records written to topic {self.input}", log)
        self.call("run", "--until-drained")
        self.assertEqual(sorted(self.consume()),
                         ["a\ta=1", "a\ta=4", "b\tb=2"])
        self.assertEqual(sorted(self.consume("--output", "orders")),
                         ["a\t1", "a\t3", "b\t2"])
        self.assertEqual(self.call("get", "a")[0], '"4"\n')
        # One partition after the other, each in its order.
        of_a = [x for x in self.records() if x["key"] == "a"]
        self.assertEqual([x["value"] for x in of_a], ["a=1", "a=4"])
        self.assertLess(of_a[0]["offset"], of_a[1]["offset"])
        self.assertEqual(len(self.consume("-n", "2")), 2)
        where = of_a[0]["partition"]
        self.assertEqual(len(self.records("--partition", where)),
                         len([x for x in self.records()
                              if x["partition"] == where]))
        self.assertEqual(
            [x["value"] for x in self.records(
                "--partition", where, "--from", of_a[1]["offset"])][:1],
            ["a=4"])
        self.assertEqual(self.consume("--from", "latest"), [])

    def test_every_kind_of_record(self):
        rows = [{"key": "", "value": ""},
                {"key": "tab\there", "value": "two\nlines"},
                {"key": "gone", "value": None},
                {"key": "h", "value": "v", "time": 1700000000000,
                 "headers": {"a": "b", "c": {"base64": "/w=="}}},
                {"key": {"base64": "/w=="}, "value": {"base64": "/v8="}},
                {"key": "there", "value": "x", "partition": 5},
                {"key": "large", "value": "x" * 1_000_000}]
        self.produce("".join(json.dumps(x) + "\n" for x in rows[:-1]),
                     "--format", "json")
        seen = self.records("--output", "orders")
        for row in rows[:-1]:
            found = [x for x in seen if x.get("key") == row["key"]]
            self.assertEqual(len(found), 1, row)
            for name, value in row.items():
                self.assertEqual(found[0][name], value, row)
        # A line cannot hold these.
        lines = self.consume("--output", "orders")
        self.assertEqual(len([x for x in lines if x.startswith("{")]), 3)
        self.assertIn("h\tv", lines)
        self.assertIn("\t", lines)
        self.produce(f"large\t{rows[-1]['value']}")
        self.assertIn(f"large\t{rows[-1]['value']}",
                      self.consume("--output", "orders"))

    def test_keys_that_are_no_text(self):
        # A byte of none, a lone surrogate, and what is text though it looks
        # odd.
        binary = {"/w==": b"\xff", "7aCA": b"\xed\xa0\x80"}
        rows = [{"key": {"base64": x}, "value": "1"} for x in binary]
        rows += [{"key": x, "value": "2"} for x in ("nul\0", "a\tb\n", "é")]
        self.produce("".join(json.dumps(x) + "\n" for x in rows),
                     "--format", "json")
        self.call("run", "--until-drained")
        dumped = [json.loads(x) for x in self.call("dump")[0].splitlines()]
        self.assertCountEqual([x["key"] for x in dumped],
                              [x["key"] for x in rows])
        self.assertCountEqual([x["key"] for x in self.records()],
                              [x["key"] for x in rows])
        # With the key as it is, not its text.
        self.assertCountEqual(
            [x["value"] for x in self.records()],
            [{"base64": base64.b64encode(x + b"=1").decode()}
             for x in binary.values()]
            + [f"{x['key']}=2" for x in rows[2:]])
        for key in binary.values():
            done = subprocess.run(
                [*(str(x) for x in self.command("get")), key],
                capture_output=True, timeout=60)
            self.assertEqual(done.stdout, b'"1"\n', done.stderr)

    def test_what_is_wrong_is_named_and_what_precedes_it_is_written(self):
        log = self.produce("a\t1\nno tab\nb\t2\n", code=1)
        self.assertIn("line 2: no tab between key and value", log)
        self.assertIn("1 records written", log)
        self.assertEqual(self.consume("--output", "orders"), ["a\t1"])
        log = self.produce('{"key":"a","value":1}\n', "--format", "json",
                           code=1)
        self.assertIn("line 1: the value: is not a text", log)
        log = self.produce("a\t1\n", "--partition", "8", code=2)
        self.assertIn("has no partition 8, only 8", log)
        log = self.produce("a\t1\n", "--input", "nowhere", code=2)
        self.assertIn("has no input 'nowhere': it has orders", log)
        log = self.produce("", "--file", self.work / "none", code=2)
        self.assertIn("--file: cannot open", log)
        self.consume("--output", "nowhere", code=2)
        self.consume("--output", "orders", "--partition", "9", code=2)
        self.consume("--dead-letter", code=1)
        self.assertEqual(self.consume("--output", "orders"), ["a\t1"])

    def test_a_topic_is_made_where_somebody_says_so(self):
        if not self.servers:
            self.produce("a\t1\n")
            self.assertEqual(len(self.consume("--output", "orders")), 1)
            return
        done = subprocess.run(
            [str(x) for x in self.command("produce")], input=b"a\t1\n",
            capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"does not exist: create it, or give --partitions",
                      done.stderr)

    def test_dead_letters_say_why(self):
        self.produce("a\t1\na\treject\n")
        self.call("run", "--until-drained", "--on-bad-record", "dead-letter")
        letters = [json.loads(x) for x in self.consume("--dead-letter")]
        self.assertEqual(len(letters), 1)
        self.assertEqual(letters[0]["value"], "reject")
        self.assertEqual(letters[0]["headers"]["weir.error"],
                         "this record asks for it")

    def test_following_and_the_end_of_it(self):
        self.produce("a\t1\n")
        if self.servers:
            following = programs.Running(
                self.command("consume", "--output", "orders", "--follow"))
            self.addCleanup(following.end)
            following.wait_for("^a\t1$")
            self.produce("b\t2\n")
            following.wait_for("^b\t2$")
            following.signal(signal.SIGINT)
            self.assertEqual(following.finish(), 0)
        # A reader that has seen enough.
        self.produce("".join(f"k{i}\t{i}\n" for i in range(20_000)))
        command = " ".join(str(x) for x in self.command(
            "consume", "--output", "orders"))
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command} | head -n 3"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 3)

    def test_interrupted_at_a_terminal(self):
        feeding = subprocess.Popen(
            [str(x) for x in self.command(
                "produce", *(["--partitions", "8"] if self.servers else []))],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(feeding.kill)
        feeding.stdin.write("a\t1\nb\t2\n")
        feeding.stdin.flush()
        # It has read both when the pipe is empty.
        self.await_empty(feeding)
        feeding.send_signal(signal.SIGINT)
        _, log = feeding.communicate(timeout=30)
        self.assertEqual(feeding.returncode, 1, log)
        self.assertIn("2 records written", log)
        self.assertEqual(len(self.consume("--output", "orders")), 2)

    @staticmethod
    def await_empty(process):
        import fcntl
        import struct
        import termios
        import time
        for _ in range(600):
            left = struct.unpack("i", fcntl.ioctl(
                process.stdin, termios.FIONREAD, b"\0\0\0\0"))[0]
            if left == 0:
                return
            time.sleep(0.05)
        raise AssertionError("nobody reads")
