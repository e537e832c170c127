"""No text that a user can see cites a rule: he has no such list."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# "(S2)", "rule R11", "attack 22", "design, 4", "docs/invariants.md".
CITATION = re.compile(
    r"\b[A-Z]\d{1,2}\b|\brules? [A-Z]|\battacks?\b|\bdesign\b|\binvariants?\b")
# What people call so.
KNOWN = re.compile(r"\bXXH3\b")
# A comment, or a string with what it may be prefixed by; whichever is first.
TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'|"""
    r'R"\((?P<raw>.*?)\)"|'
    r'"(?P<text>(?:[^"\\\n]|\\.)*)"', re.S)


def literals_of(code):
    """(line, text) of each string literal."""
    for found in TOKEN.finditer(code):
        text = found.group("text") or found.group("raw")
        if text:
            yield code.count("\n", 0, found.start()) + 1, text


def citations(code):
    for line, text in literals_of(code):
        if CITATION.search(KNOWN.sub("", text)):
            yield line, text


def main():
    for code, bad in (('f("as rule R11 says"); // rule R11', 1),
                      ('f("' + r'a \"b (S2)' + '");', 1),
                      ("/* \"L3\" */ g('\"', \"attack 22\");", 1),
                      ("h(1'000, \"it's rule A\", 2'000, \"S2\");", 2),
                      ('f("R2D2, UTF-8, max.message.bytes"); // C1', 0)):
        if len(list(citations(code))) != bad:
            print(f"the test itself misjudges {code}")
            return 1
    problems = []
    literals = 0
    for folder in ("include", "runtime", "stores", "actors", "apps",
                   "test/driver"):
        for path in sorted((ROOT / folder).rglob("*.[ch]pp")):
            code = path.read_text()
            literals += len(list(literals_of(code)))
            for line, text in citations(code):
                problems.append(
                    f'{path.relative_to(ROOT)}:{line}: "{text}" cites a rule')
    if literals < 1000:
        problems.append(f"only {literals} literals were found below {ROOT}")
    print("\n".join(problems) or f"{literals} literals: none cites a rule")
    return 1 if problems else 0


sys.exit(main())
