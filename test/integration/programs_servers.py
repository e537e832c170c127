"""The stock job on a real broker and a real ZooKeeper."""

import json
import signal

import programs
import servers


class Servers(programs.ProgramTest):
    def test_both_guarantees(self):
        for guarantee in ("exactly-once", "at-least-once"):
            with self.subTest(guarantee):
                self.setUp()
                self.generate(20_000)
                self.call("run", "--until-drained", "--guarantee", guarantee)
                self.verify()
                _, log = self.call("run", "--until-drained")
                self.assertIn("; 0 records", log.splitlines()[-1])
                self.verify()

    def test_live_settings(self):
        self.generate(100)
        job = self.start("--check-interval", "50ms")
        job.wait_for("task.processing", count=8)
        path = f"/weir/stock-{self.name}/config"
        self.znode("set", path, json.dumps(
            {"check_interval": "200ms", "sync_interval": "2s", "colour": 1}))
        job.wait_for("config.check_interval value=200ms")
        job.wait_for("config.sync_interval value=2s")
        # The path is the one that zkCli wants.
        ignored = rf"config\.ignored at=/{self.name}{path} "
        job.wait_for(ignored + "name=colour value=1 ")
        self.znode("set", path, json.dumps({"sync_interval": "1ms"}))
        job.wait_for(ignored + "name=sync_interval value=1ms "
                               "may_be=1s to 24h, in quotes")
        # Not mentioned any more: back to the command line.
        job.wait_for("config.check_interval value=50ms")
        self.znode("set", path, json.dumps(
            {"sync_interval": "1ms", "check_interval": "300ms"}))
        job.wait_for("config.check_interval value=300ms")
        self.znode("set", path, "rubbish")
        job.wait_for(ignored + ".*rubbish")
        self.znode("set", path, json.dumps(
            {"sync_interval": "3s", "check_interval": "300ms"}))
        # What was bad has kept the last good value, and was told once.
        job.wait_for("config.sync_interval value=3s")
        log = job.text()
        self.assertEqual(log.count("name=sync_interval value=1ms"), 1)
        self.assertEqual(log.count("config.check_interval value="), 3)
        self.assertEqual(log.count("config.sync_interval value="), 2)
        job.signal(signal.SIGTERM)
        self.assertEqual(job.finish(), 0)

    def test_a_znode_is_named_by_its_whole_path(self):
        self.generate(100)
        self.call("run", "--until-drained")
        root = f"/weir/stock-{self.name}"
        self.znode("create", f"{root}/parked/2", "rubbish")
        _, log = self.call("resume", "2", code=1)
        self.assertIn(f"znode '/{self.name}{root}/parked/2': ", log)
        self.znode("remove", f"{root}/parked/2")
        claim = self.znode("get", f"{root}/tasks/3")
        self.znode("set", f"{root}/tasks/3", "rubbish")
        _, log = self.call("adopt", "--yes", "--task", "3", code=1)
        self.assertIn(f"znode '/{self.name}{root}/tasks/3': a claim is", log)
        self.znode("set", f"{root}/tasks/3", claim.strip())
        self.znode("set", f"{root}/job", "rubbish")
        for verb in (["run"], ["dump"]):
            _, log = self.call(*verb, code=4 if verb == ["run"] else 1)
            self.assertIn(f"znode '/{self.name}{root}/job': the job node", log)
        self.call("reset", "--yes")

    def test_missing_input_is_named(self):
        _, log = self.call("run", code=1)
        self.assertIn(self.input, log)
        self.assertIn("does not exist", log)
        self.assertIn("--partitions N", log)
        self.assertFalse(self.data.exists())

    def test_lost_claim_needs_adopt(self):
        self.generate(2_000)
        self.call("run", "--until-drained")
        self.znode("remove", f"/weir/stock-{self.name}/tasks/3")
        _, log = self.call("run", "--until-drained", code=4)
        self.assertIn("adopt", log.splitlines()[-1])
        self.call("adopt", code=2)
        self.call("adopt", "--yes")
        self.generate(1_000, "--append", "--seed", "9")
        self.call("run", "--until-drained")
        self.verify()

    def test_reset(self):
        self.generate(2_000)
        job = self.start()
        job.wait_for("task.processing", count=8)
        _, log = self.call("reset", "--yes", code=1)
        self.assertIn(str(job.process.pid), log)
        job.signal(signal.SIGTERM)
        self.assertEqual(job.finish(), 0)
        self.call("reset", "--yes")
        _, log = self.call("run", "--until-drained")
        self.assertIn("; 2000 records", log.splitlines()[-1])
        self.verify("--at-least-once")

    def test_reset_and_adopt_where_no_task_ever_ran(self):
        self.generate(500)
        self.call("run", "--until-drained")
        elsewhere = self.work / "elsewhere"
        self.call("adopt", "--yes", data=elsewhere)
        self.call("reset", "--yes", data=elsewhere)
        self.assertFalse(elsewhere.exists())
        _, log = self.call("dump", code=1)
        self.assertIn("there is no job", log)

    def test_bad_records_go_to_the_dead_letter_topic(self):
        self.generate(500)
        self.put(2, [{"key": "Z", "value": "no json"},
                     {"value": "no key"},
                     {"key": "Z", "size": 900_000},
                     {"key": "Z", "value": '{"symbol":"Z","price":-1,'
                                           '"quantity":1}'}])
        self.generate(500, "--append", "--seed", "3")
        _, log = self.call("run", "--until-drained",
                           "--on-bad-record", "dead-letter",
                           "--max-record-bytes", "500000")
        self.assertIn("4 of them bad", log)
        self.verify("--skip-bad")

    def test_dead_letters_of_large_records(self):
        good = {"key": "Z",
                "value": '{"symbol":"Z","price":2.5,"quantity":1}'}
        sizes = [900_000, 1_048_500, 2_000_000, 6_000_000]
        for guarantee, made_before in (("exactly-once", False),
                                       ("at-least-once", False),
                                       ("exactly-once", True)):
            with self.subTest(guarantee, made_before=made_before):
                self.setUp()
                letters = f"stock-{self.name}-dead-letter"
                self.tool("weir-edit-log", "create", self.input, 2,
                          "max.message.bytes=10000000")
                if made_before:
                    self.tool("weir-edit-log", "create", letters, 2)
                for size in sizes:
                    self.put(1, [{"key": "Z", "size": size}, good])
                self.call("run", "--until-drained", "--guarantee", guarantee,
                          "--on-bad-record", "dead-letter",
                          "--producer-bytes", 4 << 20)
                self.assertEqual(self.state()["Z"]["quantity"], len(sizes))
                found = [x["value"] and len(x["value"]) // 2
                         for x in self.listed(letters, 1)]
                # A broker's default is 1 MiB.
                whole = 1 if made_before else 3
                self.assertEqual(found, sizes[:whole]
                                 + [None] * (len(sizes) - whole))

    def test_a_bad_record_stops_the_job_and_loses_nothing(self):
        self.generate(500)
        self.put(2, [{"key": "Z", "value": "no json"}])
        self.generate(500, "--append", "--seed", "3")
        _, log = self.call("run", "--until-drained", code=3)
        self.assertIn(f"{self.input}/2", log.splitlines()[-1])
        self.call("resume", "2")
        self.call("run", "--until-drained", "--on-bad-record", "skip")
        self.verify("--skip-bad")

    def test_unreachable_servers_are_named(self):
        self.where = ["--kafka", "127.0.0.1:1", "--zookeeper", self.chroot]
        _, log = self.call("run", code=1)
        self.assertIn("127.0.0.1:1", log.splitlines()[-1])
        self.where = ["--kafka", self.servers.kafka,
                      "--zookeeper", "127.0.0.1:1"]
        self.generate(10)
        _, log = self.call("run", code=1)
        self.assertIn("127.0.0.1:1", log.splitlines()[-1])
        self.where = ["--kafka", self.servers.kafka,
                      "--zookeeper", "nosuchhost.invalid:2181"]
        _, log = self.call("run", code=1)
        self.assertIn("ZooKeeper: cannot resolve 'nosuchhost.invalid' (",
                      log.splitlines()[-1])
        self.assertFalse(self.data.exists())


if __name__ == "__main__":
    programs.main(with_servers=True)
