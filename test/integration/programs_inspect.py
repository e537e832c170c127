"""`get` and `dump` of the stock job: never less than the committed state without
saying so."""

import json
import shutil
import subprocess

import programs


class Inspect(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.generate(2000)
        self.call("run", "--until-drained")
        self.tasks = self.data / "tasks" / f"stock-{self.name}"

    def incomplete(self, *words):
        """What `dump` prints all the same."""
        out, log = self.call("dump", code=1)
        for word in words:
            self.assertIn(word, log)
        self.assertIn("not the whole committed state", log.splitlines()[-1])
        return [json.loads(x)["key"] for x in out.splitlines()]

    def mended(self, exact):
        self.call("run", "--until-drained")
        self.assertEqual(self.state(), exact)

    def test_a_key_in_several_tasks(self):
        for partition, price in ((1, 1.5), (2, 2.5)):
            self.put(partition, [{"key": "TWICE", "value": json.dumps(
                {"symbol": "TWICE", "price": price, "quantity": 1})}])
        self.call("run", "--until-drained")
        out, log = self.call("get", "TWICE", code=1)
        self.assertEqual(out, "")
        self.assertIn("is in 2 tasks; ask one of them with --task N", log)
        self.assertRegex(log, r'task 1: \{"price":1.5,')
        self.assertRegex(log, r'task 2: \{"price":2.5,')
        out, _ = self.call("get", "TWICE", "--task", "2")
        self.assertEqual(json.loads(out)["price"], 2.5)
        _, log = self.call("get", "TWICE", "--task", "3", code=1)
        self.assertIn("of task 3", log)
        rows = [json.loads(x) for x in self.call("dump")[0].splitlines()]
        self.assertEqual([x["task"] for x in rows if x["key"] == "TWICE"],
                         [1, 2])

    def test_a_missing_database(self):
        exact = self.state()
        shutil.rmtree(self.tasks / "3")
        left = self.incomplete("task 3 is left out")
        self.assertLess(len(left), len(exact))
        lost = sorted(set(exact) - set(left))[0]
        self.call("get", lost, code=1)
        self.call("get", left[0], code=1)
        self.mended(exact)

    def test_a_database_that_is_no_database(self):
        exact = self.state()
        (self.tasks / "3" / "db" / "CURRENT").unlink()
        self.incomplete("task 3 is left out")
        self.mended(exact)

    def test_a_directory_that_is_none(self):
        shutil.rmtree(self.tasks / "3")
        (self.tasks / "3").write_text("")
        _, log = self.call("dump", code=1)
        self.assertIn(str(self.tasks / "3"), log)

    def lose_changelog(self, partition):
        self.tool("weir-edit-log", "drop-tail", f"stock-{self.name}-changelog",
                  partition, 0)

    def test_a_lost_changelog(self):
        exact = self.state()
        self.lose_changelog(3)
        self.assertEqual(self.incomplete("task 3", "truncated"), sorted(exact))
        shutil.rmtree(self.tasks / "3")
        left = self.incomplete("task 3 is left out",
                               "its past is unknown")
        self.assertLess(len(left), len(exact))
        # Then nothing is missing any more.
        self.call("adopt", "--yes", "--task", "3")
        self.assertEqual(sorted(self.state()), left)
        self.mended(exact)

    def test_an_older_state(self):
        older = self.state()
        shutil.copytree(self.tasks, self.work / "older")
        self.generate(500, "--append", "--seed", "9")
        self.call("run", "--until-drained")
        exact = self.state()
        self.assertNotEqual(older, exact)
        shutil.rmtree(self.tasks)
        (self.work / "older").rename(self.tasks)
        self.assertEqual(self.incomplete("later commits"), sorted(older))
        self.mended(exact)

    def test_damage_that_only_dump_meets(self):
        # More than the block that every opening reads.
        self.call("generate", "--synthetic", "20000", "--symbols", "10000",
                  "--append")
        self.call("run", "--until-drained")
        exact = self.state()
        # An opening made a table of the log before it.
        tables = sorted(self.tasks.rglob("*.ldb"),
                        key=lambda x: -x.stat().st_size)
        content = bytearray(tables[0].read_bytes())
        content[len(content) // 2] ^= 0xff
        tables[0].write_bytes(content)
        _, log = self.call("dump", code=4)
        self.assertIn("remove this database", log)
        self.assertIn(str(tables[0].parent), log)
        shutil.rmtree(tables[0].parent)
        self.mended(exact)

    def test_an_output_that_takes_nothing(self):
        for verb in (["dump"], ["get", next(iter(self.state()))],
                     ["topology"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run(
                    [str(x) for x in self.command(*verb)], stdout=full,
                    stderr=subprocess.PIPE, text=True, timeout=60)
            self.assertEqual(done.returncode, 1, verb)
            self.assertIn("cannot write the output", done.stderr)


if __name__ == "__main__":
    programs.main(with_servers=False)
