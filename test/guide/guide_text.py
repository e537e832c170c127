"""What stands in docs/guide: its code, its commands, its links.

A comment that readers don't see says what the block behind it is:

    <!-- file: words.hpp -->       the file, or its next part if it was begun
    <!-- lines of: words.hpp -->   lines that stand in that file like this
    <!-- not run: why -->          of shell commands that no test can run

Every block of C++ is one of the first two. A console block is run, line by line
that begins with "$ ", and what it shows has to come; "..." stands for anything,
also for whole lines. A page with <!-- servers --> gets a Kafka broker and a
ZooKeeper in place of the addresses that it shows.
"""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide"

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
COMMENT = re.compile(r"<!-- (file|lines of|not run): (.+) -->\n\Z")
INLINE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Languages that are told from prose only by how they are shown.
PLAIN = ("", "json", "toml", "text")


class Fault(Exception):
    """What is wrong with the guide, and where."""


@dataclasses.dataclass
class Block:
    page: pathlib.Path
    line: int
    language: str
    text: str
    role: str
    name: str

    @property
    def place(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages():
    return sorted(GUIDE.glob("*.md"))


def blocks_of(page):
    text = page.read_text()
    out = []
    for found in FENCE.finditer(text):
        said = COMMENT.search(text[:found.start()])
        role, name = said.groups() if said else ("", "")
        line = text.count("\n", 0, found.start()) + 2
        block = Block(page, line, found[1], found[2], role, name)
        if block.language == "cpp" and role not in ("file", "lines of"):
            raise Fault(f"{block.place}: code that no file has is not compiled: "
                        "say <!-- file: x.cpp --> or <!-- lines of: x.cpp -->")
        if block.language == "sh" and role != "not run":
            raise Fault(f"{block.place}: commands that are run stand in a "
                        "console block, the others behind <!-- not run: why -->")
        if block.language not in ("cpp", "cmake", "console", "sh", *PLAIN):
            raise Fault(f"{block.place}: unknown language {block.language}")
        out.append(block)
    return out


def files(blocks):
    """{name: text} of the guide's files; a #line before each part makes the
    compiler name the page."""
    out = {}
    for block in blocks:
        if block.role == "file":
            out[block.name] = (out.get(block.name, "")
                               + f'#line {block.line} "{block.page}"\n'
                               + block.text)
    return out


def stripped(text):
    return [x.strip() for x in text.splitlines() if x.strip()]


def check_quotes(blocks, texts):
    """Quoted lines stand in their file, one after the other."""
    for block in blocks:
        if block.role != "lines of":
            continue
        whole = (texts.get(block.name)
                 or (ROOT / block.name).read_text())
        wanted, there = stripped(block.text), stripped(whole)
        there = [x for x in there if not x.startswith("#line ")]
        if not any(there[i:i + len(wanted)] == wanted
                   for i in range(len(there))):
            raise Fault(f"{block.place}: these lines do not stand in "
                        f"{block.name}")


def anchors_of(page):
    """As GitHub makes them of headings."""
    text = FENCE.sub("", page.read_text())
    out = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.M):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        out.add(plain.replace(" ", "-"))
    return out


def check_links(page):
    prose = INLINE.sub("", FENCE.sub("", page.read_text()))
    for target in LINK.findall(prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists():
            raise Fault(f"{page.relative_to(ROOT)}: there is no {target}")
        if anchor and anchor not in anchors_of(to):
            raise Fault(f"{page.relative_to(ROOT)}: {to.relative_to(ROOT)} has "
                        f"no heading #{anchor}")
