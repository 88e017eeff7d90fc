"""Look for defects nobody meant: `python3 -m runner.fuzz [SECONDS] [SEED]`.

Mutated legitimate requests to the sanitizer build; every report has to be at a known place
(defects/places.txt). Used before the sources were frozen, and to be repeated by whoever doubts.
"""
import collections
import os
import pathlib
import random
import re
import sys
import tempfile
import time

from traffic.cases import JUDGE, LEARN

from . import sanitized
from .client import Client, Lost
from .target import Target

NUMBERS = (b"-1", b"0", b"1", b"63", b"64", b"65", b"255", b"256", b"-2", b"1e9", b"65536", b"4294967296", b"0.5")
ACTS = (b".remove();", b".clear();", b".text();", b".sort();", b".show();", b".append(page.root);", b".release();",
        b".pop();", b".map(str);", b".each(print);", b".call(1, 2);", b".reverse();", b".child(0).remove();")
KNOWN_STEPS = ("/preview", "/picture", "/address", "/session")


def _mutate_text(rng, text, donors):
    choice = rng.randrange(5)
    if choice == 0:
        return re.sub(rb"-?\d+(\.\d+)?", lambda m: rng.choice(NUMBERS) if rng.random() < .3 else m.group(), text)
    lines = text.splitlines(keepends=True) or [b""]
    if choice == 1:
        other = rng.choice(donors).splitlines(keepends=True) or [b""]
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(other))
    elif choice == 2:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    elif choice == 3:
        names = re.findall(rb"var (\w+)", text)
        if names:
            line = rng.choice(names) + rng.choice(ACTS) + b"\n"
            lines.insert(rng.randrange(len(lines) + 1), line)
    else:
        at = rng.randrange(len(text) + 1)
        return text[:at] + bytes([rng.randrange(256)]) + text[at + rng.randrange(3):]
    return b"".join(lines)


def _mutate_bytes(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        if data:
            at = rng.randrange(min(len(data), 60) if rng.random() < .5 else len(data))
            data[at] = rng.choice((0, 1, 255, 127, 128, rng.randrange(256)))
    return bytes(data[:rng.randrange(len(data) + 1)]) if rng.random() < .2 else bytes(data)


def _mutate(rng, step, donors):
    method, path, body = step
    if path == "/preview":
        for _ in range(rng.randrange(1, 4)):
            body = _mutate_text(rng, body, donors)
    elif path == "/picture":
        body = _mutate_bytes(rng, body)
    elif "?" in path:
        at = rng.randrange(path.index("?"), len(path))
        path = path[:at] + rng.choice(("%25", "%e3%8c%95", "%2500", "-", "9", "&", ":", "/", "%c3%9f")) + path[at + 1:]
    return method, path, body


def _tally(log, offset, table, found, step):
    text = log.read_bytes()[offset:].decode(errors="replace")
    for report in sanitized.reports(text):
        number = table.get(report)
        found[f"defect {number}" if number else f"UNKNOWN {report}"] += 1
        if number is None:
            print("UNKNOWN", report, repr(step)[:3000], text[:3000], sep="\n", flush=True)


def main(args):
    seconds, seed = (int(args[0]) if args else 60), (int(args[1]) if len(args) > 1 else 1)
    rng, found, sent = random.Random(seed), collections.Counter(), 0
    os.environ["UBSAN_OPTIONS"] = "print_stacktrace=1"
    steps = [step for case in LEARN + JUDGE for step in case.steps if step[1].startswith(KNOWN_STEPS)]
    donors = [body for _, path, body in steps if path == "/preview"]
    table, until = sanitized.places(), time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder, \
            Target("sanitize", log=f"{folder}/log", options=["--gc-objects", "300"]) as target:
        log = pathlib.Path(folder) / "log"
        client = Client(target.port, timeout=5.0)
        while time.monotonic() < until:
            step, offset = _mutate(rng, rng.choice(steps), donors), log.stat().st_size
            sent += 1
            try:
                client.request(*step)
            except Lost as lost:
                client.close()
                if "timed out" in str(lost):
                    found["slow"] += 1
                    target.stop()
                    target.start()
                elif target.wait_exit(2.0):
                    target.revive()
                    _tally(log, offset, table, found, step)
    print(sent, "requests;", dict(found))
    return 1 if any(name.startswith("UNKNOWN") for name in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
