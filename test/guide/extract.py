"""Writes the guide's files to a directory; prints the names of its programs."""

import pathlib
import sys

import guide_text


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    blocks = [x for page in guide_text.pages()
              for x in guide_text.blocks_of(page)]
    texts = guide_text.files(blocks)
    for name, text in texts.items():
        path = out / name
        # What is not touched is not compiled again.
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    for path in out.iterdir():
        if path.name not in texts:
            path.unlink()
    print(";".join(x for x in texts if x.endswith(".cpp")), end="")


try:
    main()
except guide_text.Fault as problem:
    sys.exit(str(problem))
