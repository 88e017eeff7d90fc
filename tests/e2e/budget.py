#!/usr/bin/python3
"""Learning at a budget leaves what is executed all the time: probes that have delivered their limit are called but for moments, threads that never leave their
loop get out of the copy, and what was seen until then is learned.

modes: alone
time: 120
needs: gcc
"""
import os, re, subprocess, time

from lib import clearview
from lib.clearview import check

HERE = os.path.dirname(os.path.abspath(__file__))
STATE = clearview.WORK + "/state"
PROGRAM = clearview.WORK + "/budget"
ITERATIONS = 200000000
SEEN = re.compile(r"learning: .* wanted; (\d+) records, (\d+) executions, (\d+) calls beyond")


def logged():
    if not os.path.exists(STATE + "/supervisor.log"):
        return []
    with open(STATE + "/supervisor.log") as log:
        return SEEN.findall(log.read())


def run(work):
    command, before, deadline = [PROGRAM, work, str(ITERATIONS)], len(logged()), time.monotonic() + 30
    native = subprocess.run(command, stdout=subprocess.PIPE, timeout=60)
    guarded = subprocess.run([clearview.PATH, "run", "--state", STATE, "--debug", "--learn=5", "--", *command], stdout=subprocess.PIPE, timeout=110)
    check((native.returncode, native.stdout) == (guarded.returncode, guarded.stdout), "%s: %s, natively %s" % (work, guarded, native))
    while len(logged()) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    check(len(logged()) > before, "what was learned is logged")
    records, executions, beyond = map(int, logged()[-1])
    check(records > 100 and executions > 0, "%s: %d records of %d executions" % (work, records, executions))
    check(0 < beyond < ITERATIONS / 50, "%s: %d calls of probes that were of no use" % (work, beyond))


subprocess.run(["gcc", "-O2", "-w", "-pthread", "-o", PROGRAM, HERE + "/budget.c"], check=True)
for work in ("loop", "calls", "threads"):
    run(work)
invariants = subprocess.run([clearview.PATH, "invariants", "--state", STATE], stdout=subprocess.PIPE, text=True, check=True).stdout
check(len(invariants.splitlines()) > 10, "something was learned: " + invariants)
