"""What the stock job's command line takes and what it refuses."""

import os
import subprocess
import threading

import programs


class Options(programs.ProgramTest):
    def refused(self, *arguments, text, code=2):
        _, log = self.call(*arguments, code=code)
        self.assertIn(text, log)
        self.assertFalse(self.data.exists(), arguments)

    def test_numbers_have_digits_only_and_a_range(self):
        for option in ("--synthetic", "--symbols", "--seed", "--rate",
                       "--partitions"):
            for bad in ("-1", "99999999999999999999999", "1e3", "0x10", ""):
                more = [] if option == "--synthetic" else ["--synthetic", "1"]
                with self.subTest(option, value=bad):
                    self.refused("generate", *more, option, bad, text=option)
        for option, bad in (("--symbols", "0"), ("--symbols", "4294967295"),
                            ("--partitions", "0"), ("--partitions", "10001"),
                            ("--rate", "1000000001")):
            self.refused("generate", "--synthetic", "1", option, bad,
                         text=option)
        for bad in ("-3", "one", ""):
            self.refused("adopt", "--yes", "--task", bad, text="--task")

    def test_sizes_and_times_that_would_stop_a_run(self):
        for option, bad in (("--overlay-bytes", "0"),
                            ("--overlay-bytes", "9223372036854775808"),
                            ("--producer-bytes", "0"),
                            ("--max-record-bytes", "-1"),
                            ("--session-timeout", "0s"),
                            ("--session-timeout", "5m"),
                            ("--sync-interval", "1ms"),
                            ("--producer-linger", "6s"),
                            ("--threads", "0")):
            with self.subTest(option, value=bad):
                self.refused("run", option, bad, text=option)

    def test_smallest_sizes_work(self):
        self.generate(20)
        _, log = self.call("run", "--until-drained", "--overlay-bytes", "1",
                           "--cache-bytes", "0", "--producer-bytes", "1",
                           "--producer-linger", "0ms", "--threads", "1")
        self.assertIn("; 20 records", log)

    def test_keys_that_look_like_options(self):
        self.generate(20)
        self.call("run", "--until-drained")
        for key in ("--help", "-h", "-1", "--", "--data", "--store=quotes",
                    "get", "run"):
            with self.subTest(key):
                _, log = self.call("get", "--", key, code=1)
                self.assertIn(f"no key '{key}' in store", log)
        # An option takes one value, not all up to the next option.
        _, log = self.call("get", "--log-level", "error", "NO", code=1)
        self.assertIn("no key 'NO'", log)
        self.call("get", "--log-level", "error", "NO", "MORE", code=2)

    def test_what_is_no_file(self):
        for bad in (self.work, "", self.work / "none"):
            self.refused("run", "--config", bad, text="--config")
            self.refused("generate", "--file", bad, text=f"file '{bad}'")

    def test_addresses_are_looked_at_before_anything_else(self):
        for kafka, zookeeper, bad in (
                ("127.0.0.1:9", "one", "'one'"),
                ("127.0.0.1:9", "127.0.0.1:99999", "'127.0.0.1:99999'"),
                ("127.0.0.1:9", "127.0.0.1:2,", "''"),
                ("127.0.0.1:9", "127.0.0.1:2/a//b", "/a//b"),
                ("bad host", "127.0.0.1:2", "'bad host'"),
                ("127.0.0.1:port", "127.0.0.1:2", "'127.0.0.1:port'")):
            with self.subTest(kafka=kafka, zookeeper=zookeeper):
                self.refused("run", "--kafka", kafka, "--zookeeper", zookeeper,
                             text=bad)

    def test_a_host_without_an_address(self):
        where = ["--kafka", "127.0.0.1:1",
                 "--zookeeper", "nosuchhost.invalid:2181/weir"]
        for verb in ("resume", "reset", "adopt"):
            with self.subTest(verb):
                _, log = self.call(verb, *where, code=1)
                self.assertIn("weir: ZooKeeper: cannot resolve "
                              "'nosuchhost.invalid' (", log)
                self.assertIn("correct the host in --zookeeper", log)
                self.assertNotIn("ioctl", log)
        _, log = self.call("consume", "--kafka", "nosuchhost.invalid:1",
                           "--zookeeper", "127.0.0.1:1", code=1)
        self.assertIn("resolve 'nosuchhost.invalid:1'", log)
        self.assertFalse(self.data.exists())

    def test_config_has_the_types_of_its_settings(self):
        file = self.work / "weir.toml"
        for text, why in (("data = 3", "must be a string"),
                          ("check-interval = 5", "must be a string"),
                          ("until-drained = \"yes\"", "must be true or false"),
                          ("threads = \"two\"", "threads"),
                          ("threads = 2.5", "threads")):
            with self.subTest(text):
                file.write_text(text + "\n")
                self.refused("run", "--config", file, text=why)

    def test_config_from_a_pipe(self):
        pipe = self.work / "pipe"
        os.mkfifo(pipe)
        feeding = threading.Thread(
            target=lambda: pipe.write_text("until-drained = true\n"))
        feeding.start()
        _, log = self.call("run", "--config", pipe)
        feeding.join()
        self.assertIn("; 0 records", log)

    def test_missing_input_is_made(self):
        _, log = self.call("run", "--until-drained", "--partitions", "3")
        self.assertIn(f"topic={self.input} partitions=3", log)
        self.assertIn("; 0 records", log)

    def test_words_that_are_no_command(self):
        self.refused("rnu", text="did you mean 'run'?")
        self.refused("comsume", text="did you mean 'consume'?")
        self.refused("frobnicate", text="there are run, ")

    def test_version_names_the_libraries(self):
        out, _ = self.call("--version")
        for each in ("weir 0.1.0", "CAF 0.17", "librdkafka 2.", "LevelDB 1.",
                     "ZooKeeper client 3."):
            self.assertIn(each, out)

    def test_mistyped_data_directory(self):
        for verb in (["get", "A"], ["dump"], ["reset", "--yes"], ["reset"],
                     ["adopt", "--yes"], ["resume"]):
            self.refused(*verb, text=f"there is no data directory "
                                     f"'{self.data}'", code=1)
        self.call("topology")
        self.assertFalse(self.data.exists())

    def test_data_directory_that_cannot_be_read(self):
        self.work.chmod(0o755)
        loop = self.work / "loop"
        loop.symlink_to(loop)
        file = self.work / "file"
        file.write_text("")
        closed = self.work / "closed"
        closed.mkdir()
        (closed / "embedded").mkdir()
        closed.chmod(0)
        self.addCleanup(closed.chmod, 0o700)
        half = self.work / "half"
        half.mkdir()
        (half / "embedded").symlink_to(half / "embedded")
        for verb in (["get", "A"], ["dump"], ["consume"], ["resume"]):
            for data, text in ((loop, f"'{loop}': Too many levels"),
                               (file, f"'{file}': Not a directory"),
                               (closed, f"'{closed}': Permission denied"),
                               (half, f"'{half}/embedded': Too many levels")):
                with self.subTest(verb, data=data):
                    log = self.as_nobody(*verb, data=data)
                    self.assertIn(f"cannot read the data directory {text}",
                                  log)
        self.assertEqual(len(list(self.work.iterdir())), 4)
        self.assertEqual(list(half.iterdir()), [half / "embedded"])

    def as_nobody(self, *words, data):
        """A right that is missing is none that root misses."""
        other = {"user": 65534} if os.geteuid() == 0 else {}
        done = subprocess.run(
            [str(x) for x in self.command(*words, data=data)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60, **other)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def test_with_servers_the_state_is_here_too(self):
        where = ["--kafka", "127.0.0.1:1", "--zookeeper", "127.0.0.1:1"]
        for verb in (["get", "A"], ["dump"]):
            self.refused(*verb, *where, text=f"there is no data directory "
                                             f"'{self.data}'", code=1)

    def test_a_failed_run_leaves_no_directory(self):
        # The directory can be made, what is to be in it cannot.
        self.data = self.work / "made" / "for" / "it"
        while len(str(self.data)) < 4088:
            self.data /= "x" * min(200, 4090 - len(str(self.data)))
        for verb in (["run"], ["produce"], ["generate", "--synthetic", "1"]):
            _, log = self.call(*verb, code=1)
            self.assertIn("cannot create the data directory", log)
            self.assertEqual(list(self.work.iterdir()), [])
        # One that was there stays.
        (self.work / "made").mkdir()
        self.call("run", code=1)
        self.assertEqual(list(self.work.rglob("*")), [self.work / "made"])
        self.data = self.work / "data"
        self.refused("produce", "--file", self.work, text="Is a directory")

    def test_directory_without_a_log(self):
        self.data.mkdir()
        for verb in (["get", "A"], ["dump"], ["reset", "--yes"],
                     ["adopt", "--yes"]):
            _, log = self.call(*verb, code=1)
            self.assertIn(str(self.data), log)
        self.assertEqual(list(self.data.iterdir()), [])

    def test_help_shows_defaults(self):
        out = " ".join(self.call("run", "--help")[0].split())
        for option, default in (("data", "weir-data"),
                                ("on-bad-record", "fail"),
                                ("start", "earliest"),
                                ("guarantee", "exactly-once"),
                                ("log-level", "info")):
            self.assertRegex(out, rf"--{option} \S+ [^-]*\({default}\)")


if __name__ == "__main__":
    programs.main(with_servers=False)
