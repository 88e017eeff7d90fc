"""The legitimate traffic: cases of one or more requests each, for learning and for judging.

A case's requests go over one connection. What has to come back - status, type and body of each reply -
is in expected/NAME, recorded from the sanitizer build by `python3 -m traffic.record`.
"""
import pathlib

from . import requests_judge, requests_learn

HERE = pathlib.Path(__file__).resolve().parent
STORED = HERE / "stored"


class Case:
    def __init__(self, name, steps):
        self.name, self.steps = name, steps

    def expected(self):
        return (HERE / "expected" / self.name).read_bytes()

    def run(self, client):
        """Send the requests; returns what came back in the form of expected(). Raises Lost."""
        out = b""
        for method, path, body in self.steps:
            reply = client.request(method, path, body)
            kind = reply.fields.get("content-type", "")
            out += f"{reply.status} {kind} {len(reply.body)}\n".encode() + reply.body + b"\n"
        return out


def _pages(which):
    cases, name, lines = [], None, []
    for line in (HERE / "pages" / f"{which}.txt").read_text().splitlines(keepends=True) + ["=== \n"]:
        if line.startswith("=== "):
            if name:
                cases.append(Case(f"{which}-{name}", [("POST", "/preview", "".join(lines).encode())]))
            name, lines = line[4:].strip(), []
        else:
            lines.append(line)
    return cases


def _requests(which, table):
    return [Case(f"{which}-{name}", steps) for name, steps in table.items()]


LEARN = _pages("learn") + _requests("learn", requests_learn.CASES)
JUDGE = _pages("judge") + _requests("judge", requests_judge.CASES)
