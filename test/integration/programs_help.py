"""What `--help` says of each command, and that a command takes just that."""

import re
import subprocess

import programs

OPENING = {"--kafka", "--zookeeper", "--kafka-property", "--data", "--job",
           "--config", "--log-level"}
TOPICS = {"--input-topic", "--output-topic"}
# Options beside -h, and exit codes.
COMMANDS = {
    "run": (OPENING | TOPICS | {
        "--partitions", "--guarantee", "--check-interval", "--hop-interval",
        "--sync-interval", "--threads", "--until-drained", "--on-bad-record", "--on-task-stop",
        "--on-lost-input", "--max-record-bytes", "--start",
        "--session-timeout", "--stop-limit", "--overlay-bytes",
        "--cache-bytes", "--producer-bytes", "--producer-linger",
        "--allow-weak"}, "01234"),
    "produce": (OPENING | {
        "--input", "--file", "--format", "--partition", "--partitions",
        "--input-topic", "--producer-linger"}, "0124"),
    "consume": (OPENING | TOPICS | {
        "--output", "--dead-letter", "--follow", "--uncommitted", "--json",
        "--from", "--partition", "--count"}, "0124"),
    "generate": (OPENING | {
        "--file", "--synthetic", "--symbols", "--seed", "--partitions",
        "--rate", "--append", "--input-topic", "--producer-linger"}, "0124"),
    "get": (OPENING | {"--store", "--task"}, "0124"),
    "dump": (OPENING | {"--store"}, "0124"),
    "topology": (TOPICS | {"--json", "--job", "--config"}, "012"),
    "resume": (OPENING | {"--skip", "--dead-letter", "--reason", "--json"},
               "0124"),
    "reset": (OPENING | {"--yes"}, "0124"),
    "adopt": (OPENING | {"--yes", "--task"}, "0124"),
}


def options_in(text):
    return set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", text, re.M))


class Help(programs.ProgramTest):
    def ask(self, *words, code=0):
        """Without an option that tells where the job is."""
        done = subprocess.run(
            [str(self.binary("weir-stock")), *words], capture_output=True,
            text=True, timeout=60, cwd=self.work, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return done.stdout if code == 0 else done.stderr

    def test_a_command_has_its_own_options_only(self):
        for verb, (options, _) in COMMANDS.items():
            with self.subTest(verb):
                text = self.ask(verb, "--help")
                self.assertEqual(options_in(text) - {"--help"}, options)
                self.assertEqual(self.ask(verb, "-h"), text)

    def test_two_examples_that_the_command_takes(self):
        for verb, (options, _) in COMMANDS.items():
            with self.subTest(verb):
                shown = re.findall(rf"^  weir-stock {verb}\b(.*)$",
                                   self.ask(verb, "--help"), re.M)
                self.assertEqual(len(shown), 2)
                for each in shown:
                    used = set(re.findall(r"(?<= )--[a-z-]+", each))
                    self.assertLessEqual(used, options)

    def test_its_exit_codes(self):
        for verb, (_, codes) in COMMANDS.items():
            with self.subTest(verb):
                text = self.ask(verb, "--help").partition("Exit codes:\n")[2]
                self.assertEqual(
                    "".join(re.findall(r"^  (\d)  \S", text, re.M)), codes)

    def test_the_list_of_the_commands(self):
        text = self.ask("--help")
        self.assertEqual(self.ask("-h"), text)
        listed = re.findall(r"^  ([a-z]+) +\S.*$",
                            text.partition("Subcommands:\n")[2], re.M)
        self.assertEqual(listed, list(COMMANDS))
        self.assertEqual(options_in(text), {"--help", "--version"})

    def test_an_option_of_other_commands_is_refused_by_name(self):
        for verb, words, text in (
                ("topology", ["--kafka", "127.0.0.1:1"],
                 "'topology' has no option --kafka: it is for run, produce, "),
                ("consume", ["--check-interval=5ms"],
                 "'consume' has no option --check-interval: it is for run\n"),
                ("dump", ["--output-topic", "x"],
                 "it is for run, consume, topology\n"),
                ("run", ["--until-draned"], "did you mean --until-drained?"),
                ("get", ["KEY", "--nonsense"], "`get --help` lists")):
            with self.subTest(verb):
                self.assertIn(text, self.ask(verb, *words, code=2))
        self.assertEqual(list(self.work.iterdir()), [])

    def test_a_settings_file_may_hold_those_of_all(self):
        file = self.work / "weir.toml"
        file.write_text('check-interval = "7ms"\nthreads = 1\n'
                        'until-drained = true\nproducer-linger = "1ms"\n'
                        f'data = "{self.data}"\n')
        config = ["--config", str(file)]
        self.ask("generate", "--synthetic", "20", *config)
        self.ask("run", *config)
        for verb in ("dump", "topology", "consume", "resume"):
            self.ask(verb, *config)
        self.ask("reset", "--yes", *config)


if __name__ == "__main__":
    programs.main(with_servers=False)
