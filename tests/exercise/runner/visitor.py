"""Legitimate visitors: cases sent one after another, whose replies have to be what was recorded."""
import threading

from traffic.cases import JUDGE

from .client import Client, Lost

PACE = 0.01      # seconds a visitor reads before the next case


class Tally:
    def __init__(self):
        self.identical, self.different, self.lost, self.names = 0, 0, 0, []

    def add(self, result, name):
        if result == "different":
            self.names.append(name)
        setattr(self, result, getattr(self, result) + 1)


def visit(case, target):
    """Run a case: "identical", "different" or "lost" (the server went away)."""
    for _ in range(2):
        try:
            with Client(target.port) as client:
                got = case.run(client)
        except Lost:
            return "lost"
        if got == case.expected():
            return "identical"
        if b"403 text/plain" not in got:
            break                 # else others' sessions may have pushed this one out: once more
    return "different"


def visit_all(cases, target, tally):
    for case in cases:
        tally.add(visit(case, target), case.name)


class Visitor(threading.Thread):
    """Goes through the judging cases over and over until told to stop."""

    def __init__(self, target, tally, event):
        super().__init__(daemon=True)
        self.target, self.tally, self.event = target, tally, event
        self.over = threading.Event()

    def run(self):
        at = 0
        while not self.over.wait(PACE):
            case, starts = JUDGE[at % len(JUDGE)], self.target.starts
            result = visit(case, self.target)
            self.tally.add(result, case.name)
            if result != "identical":
                self.event(result, case.name)
            if result == "lost":
                self.target.wait_start(starts, 1.0)
            at += 1

    def stop(self):
        self.over.set()
        self.join()
