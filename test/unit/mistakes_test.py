"""The likeliest mistakes of a user, and what the compiler says of each first.

Each snippet is compiled against the public headers alone; the first line with
"error:" has to hold the text that stands beside it. The same code without the
mistake has to compile without a word.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

HEAD = """
#include <weir/weir.hpp>
struct opaque {};
constexpr weir::input<std::string, std::string> lines{"lines"};
constexpr weir::input<weir::none, std::string> values{"values"};
constexpr weir::store<std::string, std::int64_t> counts{"counts"};
constexpr weir::output<std::string, std::int64_t> totals{"totals"};
"""

TASK = """
class my_task : public weir::task {
public:
  explicit my_task(const weir::task_setup& setup) : task(setup) {
    %s
  }
  void take(std::string_view, std::string_view) {}
  %s
  weir::use<counts> counts_{this};
  weir::use<totals> totals_{this};
};
"""
GOOD_HANDLER = "on(lines, &my_task::take);"


def task(constructor=GOOD_HANDLER, member=""):
    return HEAD + TASK % (constructor, member)


GOOD = task("""on(lines, [this](const std::string& key, std::string_view) {
      totals_.emit(key, ++counts_[key]);
    });
    on(values, [](std::string_view) {});""") + """
auto make = weir::task_of<my_task>();
weir::job all{"j", lines, values, counts, totals};
"""

MISTAKES = {
    "a struct without a serde": (
        HEAD + 'constexpr weir::store<std::string, opaque> x{"x"};',
        "the value type of this store has no weir::serde: write "
        "WEIR_FIELDS(Value, field, ...) beside it"),
    "a topic of such a struct": (
        HEAD + 'constexpr weir::input<std::string, opaque> x{"x"};',
        "the value type of this topic has no weir::serde"),
    "a key that cannot sort": (
        HEAD + 'constexpr weir::store<std::vector<int>, int> x{"x"};',
        "this type cannot be the key of a store: its weir::serde does not "
        "promise is_key"),
    "a store that keeps a view": (
        HEAD + 'constexpr weir::store<std::string, std::string_view> x{"x"};',
        "what a store keeps owns its text"),
    "a handler with other parameters": (
        task("on(lines, [](int) {});"),
        "the handler does not take what this topic holds: it is called with "
        "(const Key&, const Value&) of the topic's own types, or with (const "
        "weir::record&)"),
    "a handler of values that takes keys too": (
        task("on(values, [](std::string_view, std::string_view) {});"),
        "the handler does not take what this topic holds: the topic is "
        "declared without a key"),
    "reading an output": (
        task("on(totals, [](std::string_view, std::int64_t) {});"),
        "on(topic, handler) reads a weir::input or weir::internal; to read "
        "back what the job itself writes, declare the topic weir::internal"),
    "an internal topic without sources": (
        HEAD + 'constexpr weir::internal<std::string, weir::none> x{"x"};',
        "use of deleted function"),
    "opening an input": (
        task(member="weir::use<lines> lines_{this};"),
        "weir::use<x> opens a store, an output or another part that a task "
        "owns; an input is read with on(x, handler)"),
    "text to an output of numbers": (
        task(member='void f() { totals_.emit("a", "b"); }'),
        "invalid conversion from 'const char*' to"),
    "a name with a space": (
        HEAD + 'constexpr weir::input<std::string, std::string> x{"my topic"};',
        "a_name_is_made_of_letters_digits_dot_underscore_and_dash"),
    "a name without a letter": (
        HEAD + 'constexpr weir::input<std::string, std::string> x{""};',
        "a_name_has_1_to_100_characters"),
    "a task without the constructor": (
        HEAD + "struct t : weir::task {};\nauto x = weir::task_of<t>();",
        "weir::task_of<T>(args...): T has no constructor that takes (const "
        "weir::task_setup&, args...)"),
    "a task that is none": (
        HEAD + "auto x = weir::task_of<opaque>();",
        "an application's task derives from weir::task"),
    "a behavior of its own": (
        task(member="void f() { become(caf::behavior{}); }"),
        "a task's behavior is the runtime's: return your own handlers from "
        "messages(), keep modes in members"),
    "an end of its own": (
        task(member="void f() { quit(); }"),
        "a task is ended by the runtime"),
    "a handler for exceptions": (
        task(member="void f() { set_exception_handler(1); }"),
        "use of deleted function"),
    "a job of names": (
        HEAD + 'weir::job x{"j", "lines"};',
        "a job lists definitions (weir::input, output, store, ...), not names"),
}


def compile(code, work, compiler, includes):
    source = work / "user.cpp"
    source.write_text(code)
    return subprocess.run(
        [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra",
         *includes, str(source)],
        capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--include", action="append", default=[])
    a = parser.parse_args()
    includes = [f"-I{ROOT / 'include'}", *(f"-I{x}" for x in a.include)]
    failures = 0
    with tempfile.TemporaryDirectory(prefix="weir-mistakes-") as name:
        work = pathlib.Path(name)
        done = compile(GOOD, work, a.compiler, includes)
        if done.returncode != 0 or done.stderr:
            print(f"without a mistake:\n{done.stderr}")
            failures += 1
        for what, (code, promised) in MISTAKES.items():
            done = compile(code, work, a.compiler, includes)
            errors = [x for x in done.stderr.splitlines() if "error:" in x]
            if not errors or promised not in errors[0]:
                print(f"{what}: expected '{promised}', got\n"
                      + "\n".join(errors[:3]))
                failures += 1
    print(f"{len(MISTAKES)} mistakes, {failures} without their message")
    return 1 if failures else 0


sys.exit(main())
