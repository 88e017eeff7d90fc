#!/usr/bin/python3
"""Unbounded recursion ends in the monitor, not in a silent kill: in the first thread and in others, with and without an alternate signal stack of the
program's own; where it sets one and handles the overflow, ClearView keeps out of it.

modes: alone
time: 60
needs: gcc
"""
import os, signal, subprocess

from lib import clearview
from lib.clearview import check

PROGRAM = clearview.WORK + "/stack_exhausted"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stack_exhausted.c")


def run(how):
    state = clearview.WORK + "/" + how
    ended = subprocess.run(clearview.prefix("--restart=never", state=state) + [PROGRAM, how], stdout=subprocess.PIPE, text=True, timeout=30)
    return ended, clearview.rows("failures", state=state)


def main():
    subprocess.run(["gcc", "-O1", "-fno-optimize-sibling-calls", "-w", "-pthread", "-o", PROGRAM, SOURCE], check=True)
    for how in ("main", "thread", "own-stack"):
        ended, failures = run(how)
        check(ended.returncode == -signal.SIGSEGV, "%s: ends by SIGSEGV: %d" % (how, ended.returncode))
        check(len(failures) == 1 and failures[0]["monitor"] == "hang", "%s: one failure, a hang: %r" % (how, failures))
    ended, failures = run("handled")
    check(ended.returncode == 0 and ended.stdout == "survived\n" and not failures, "handled: %r %r" % (ended, failures))


main()
