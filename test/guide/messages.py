"""The page that explains messages has those of the code, and every event that
the log warns of."""

import re

from guide_text import GUIDE, ROOT, Fault

PAGE = GUIDE / "troubleshooting.md"
EVENT = re.compile(r"[a-z_]+\.[a-z_]+")
WARNS = re.compile(r'log_(?:warning|error)\(\s*"([^"]+)"')
STRINGS = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*')
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
ROW = re.compile(r"^\| (`.+?`.*?) \|", re.M)


def sources():
    for folder in ("include", "runtime", "stores", "actors"):
        for path in sorted((ROOT / folder).rglob("*.[ch]pp")):
            yield path.read_text()


def literals(code):
    """Neighbours are one, as for the compiler."""
    for found in STRINGS.finditer(code):
        text = "".join(STRING.findall(found.group()))
        yield re.sub(r"\\(.)", r"\1", text).replace("`", "'")


def shown():
    """The code in the first cell of each row, but for what only gcc says."""
    for cell in ROW.findall(PAGE.read_text()):
        if "(gcc)" not in cell:
            yield from re.findall(r"`([^`]+)`", cell)


def check():
    warns, texts = set(), []
    for code in sources():
        warns |= set(WARNS.findall(code))
        texts += literals(code)
    # As they are, and with the braces of a format.
    all_texts = "\0".join(texts)
    all_texts += "\0" + all_texts.replace("{{", "{").replace("}}", "}")
    told = list(shown())
    events = {x for x in told if EVENT.fullmatch(x)}
    if events != warns:
        raise Fault(f"{PAGE.name}: events of the log that are missing: "
                    f"{sorted(warns - events)}; that there are not: "
                    f"{sorted(events - warns)}")
    for message in set(told) - events:
        for piece in message.split("..."):
            if piece.strip() and piece.strip() not in all_texts:
                raise Fault(f"{PAGE.name}: no message has '{piece.strip()}' "
                            f"(of '{message}')")
    return len(told)
