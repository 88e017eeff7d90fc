#!/usr/bin/python3
"""A process that lands on traps of ours all the time is attached to and let go of, again and again: one that is let go of on its way out of such a trap, with the
signal not delivered yet, would die of it.

modes: alone
time: 120
needs: gcc
"""
import os, subprocess

from lib import clearview
from lib.clearview import check, command

CYCLES, OPTIONS = 12, ("--redirect=all", "--only-traps")
PROGRAM = clearview.WORK + "/detach_trapping"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "detach_trapping.c")

subprocess.run(["gcc", "-O1", "-pthread", "-o", PROGRAM, SOURCE], check=True)
trapping = subprocess.Popen([PROGRAM], stdout=subprocess.PIPE, text=True)
try:
    check(trapping.stdout.readline() == "go\n", "it starts")
    for n in range(CYCLES):
        for verb, options in ("attach", OPTIONS), ("detach", ()):
            done = command(verb, *options, str(trapping.pid))
            check(done.returncode == 0, "%s %d: exit %d: %s" % (verb, n, done.returncode, done.stderr))
            check(trapping.poll() is None, "it goes on behind %s %d, and doesn't end with %s" % (verb, n, trapping.poll()))
finally:
    trapping.kill()
