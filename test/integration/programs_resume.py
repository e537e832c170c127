"""`resume`, and what other commands say of a parked task. The nodes of parked
tasks are written here; how a task gets parked is in programs_parked.py."""

import json

import programs

POISON = {"format": 1, "why": "no JSON", "kind": "bad_record",
          "who": "process 7 on host-a", "when_ms": 1_700_000_000_000,
          "attempts": 3, "topic": "ticks", "partition": 3, "offset": 98431,
          "until": -1, "key_bytes": 4, "value_bytes": 7, "decision": "none",
          "decided_by": "", "decided_ms": 0, "reason": "", "cure": [1]}


class Resume(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.generate(500)
        self.call("run", "--until-drained")

    def node(self, task):
        return f"/weir/stock-{self.name}/parked/{task}"

    def park(self, task, **fields):
        self.znode("create", self.node(task),
                   json.dumps(POISON | {"partition": task} | fields))

    def decision(self, task):
        return json.loads(self.znode("get", self.node(task)))

    def lists(self, *tasks):
        out, _ = self.call("resume", "--json")
        self.assertEqual([json.loads(x)["task"] for x in out.splitlines()],
                         list(tasks))

    def test_it_shows_the_task_and_writes_the_decision(self):
        self.park(3)
        out, log = self.call("resume", "3", "--skip", "--reason", "ticket 12")
        for word in ("bad_record", "ticks/3@98431", "key of 4 bytes",
                     "no JSON", "process 7 on host-a", "3 attempts"):
            self.assertIn(word, out)
        self.assertIn("without processing it, at the next `run`", log)
        now = self.decision(3)
        self.assertEqual((now["decision"], now["reason"]),
                         ("skip", "ticket 12"))
        self.assertIn("@", now["decided_by"])
        self.assertGreater(now["decided_ms"], POISON["when_ms"])
        # What this program does not know, a newer one still finds.
        self.assertEqual(now["cure"], [1])

    def test_a_second_call_does_nothing(self):
        self.park(3)
        self.call("resume", "3", "--skip", "--reason", "first")
        before = self.decision(3)
        _, log = self.call("resume", "3", "--skip", "--reason", "second")
        self.assertIn("nothing to do", log)
        for other in ([], ["--dead-letter"]):
            _, log = self.call("resume", "3", *other, code=1)
            self.assertIn("has decided 'skip'", log)
        self.assertEqual(self.decision(3), before)

    def test_a_task_that_is_not_parked(self):
        _, log = self.call("resume", "3", code=1)
        self.assertIn("task 3 is not parked; no task is", log)
        self.park(1)
        self.park(6)
        _, log = self.call("resume", "3", "--skip", code=1)
        self.assertIn("task 3 is not parked; parked: 1, 6", log)
        _, log = self.call("resume", "8", code=2)
        self.assertIn("tasks 0 to 7", log)

    def test_the_list(self):
        _, log = self.call("resume")
        self.assertIn("no task is parked", log)
        self.park(6)
        self.park(1)
        self.lists(1, 6)
        out, _ = self.call("resume")
        self.assertIn("task 6: parked: bad_record", out)
        self.znode("set", self.node(1), "rubbish")
        _, log = self.call("resume")
        self.assertIn("task 1: ", log)
        self.lists(6)
        _, log = self.call("resume", "1", "--skip", code=1)
        self.assertIn("JSON", log)

    def test_decisions_that_do_not_fit(self):
        self.park(0, kind="lost_input", offset=100, until=132)
        self.park(1, kind="data_loss", topic="", partition=-1, offset=-1)
        for task, words, text in ((0, [], "--skip"),
                                  (0, ["--dead-letter"], "--skip"),
                                  (1, ["--skip"], "`adopt`"),
                                  (1, ["--dead-letter"], "`reset`")):
            with self.subTest(task, words=words):
                out, log = self.call("resume", str(task), *words, code=2)
                self.assertIn(text, log)
                self.assertIn("parked", out)
                self.assertEqual(self.decision(task)["decision"], "none")
        out, log = self.call("resume", "0", "--skip", "--json")
        self.assertIn("behind the gap", log)
        self.assertEqual(json.loads(out)["until"], 132)
        self.call("resume", "1")
        self.assertEqual(self.decision(1)["decision"], "resume")

    def test_the_command_line(self):
        for words in (["--skip"], ["--dead-letter"], ["--reason", "x"],
                      ["3", "--skip", "--dead-letter"], ["-1"], ["x"]):
            self.call("resume", *words, code=2)

    def test_the_dead_letter_topic_is_made(self):
        letters = f"stock-{self.name}-dead-letter"
        self.park(2)
        self.call("resume", "2", "--dead-letter")
        self.assertEqual(self.decision(2)["decision"], "dead_letter")
        self.assertEqual(self.listed(letters, 7), [])

    def test_get_and_dump_show_its_state(self):
        exact = self.state()
        self.park(3)
        self.assertEqual(self.state(), exact)
        for verb in (["dump"], ["get", next(iter(exact))]):
            _, log = self.call(*verb)
            self.assertIn("task 3 is parked, `resume` decides: bad_record at "
                          "ticks/3@98431", log)

    def test_reset_and_adopt_decide_too(self):
        self.park(3, kind="corruption")
        self.park(4)
        self.call("adopt", "--yes")
        now = self.decision(3)
        self.assertEqual((now["decision"], now["reason"]),
                         ("resume", "adopt"))
        self.assertEqual(self.decision(4)["decision"], "none")
        self.call("reset", "--yes")
        self.call("resume", code=1)
        self.call("run", "--until-drained")
        self.lists()


class WithServers(Resume):
    """The same through ZooKeeper, also beside a running job."""

    def test_beside_a_running_job(self):
        job = self.start()
        job.wait_for("task.processing", count=8)
        self.lists()
        _, log = self.call("resume", "3", code=1)
        self.assertIn("not parked", log)
        self.assertIsNone(job.process.poll())


class Embedded(Resume):
    servers = None

    def test_beside_a_running_job(self):
        job = self.start()
        job.wait_for("task.processing", count=8)
        _, log = self.call("resume", code=1)
        self.assertIn(str(job.process.pid), log)


del Resume

if __name__ == "__main__":
    programs.main(with_servers=True)
