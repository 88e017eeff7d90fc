"""The target's sources are frozen: their hash is kept in defects/sources.sha256.

`python3 -m runner.frozen` compares; `python3 -m runner.frozen --write` was used once, to freeze them.
"""
import hashlib
import sys

from .target import HERE

LIST = HERE / "defects" / "sources.sha256"


def current():
    files = sorted(p for p in (HERE / "target").rglob("*") if p.is_file())
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(HERE)}\n" for p in files)


def changed():
    """Names of files that are not as they were frozen: changed, added or gone."""
    then, now = ({line[66:]: line[:64] for line in text.splitlines()} for text in (LIST.read_text(), current()))
    return sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))


def main(args):
    if args == ["--write"]:
        LIST.write_text(current())
    for name in changed():
        print(f"{name}: differs from the frozen source; the exercise's target must not be changed")
    return 1 if changed() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
