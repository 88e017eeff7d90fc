#!/usr/bin/python3
"""A library that two processes of a family load after the fork, at the same address, is redirected in both.

modes: alone
time: 60
needs: gcc
"""
import os, signal, subprocess

from lib import clearview
from lib.clearview import check
from lib.text import text_differs

PROGRAM = clearview.WORK + "/loaded_twice"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "loaded_twice.c")

subprocess.run(["gcc", "-O1", "-o", PROGRAM, SOURCE], check=True)
for run in "everything planned here", "with snapshots":
    guest = subprocess.Popen(clearview.prefix("--redirect=all") + [PROGRAM, "libz.so.1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pids, places = [], set()
    try:
        for _ in range(2):
            guest.stdin.write(b".")
            guest.stdin.flush()
            pid, place = guest.stdout.readline().split()
            pids.append(int(pid))
            places.add(place)
            check(any("libz" in path for path in text_differs(int(pid))), "%s: it is redirected in process %d, number %d" % (run, int(pid), len(pids)))
        check(len(places) == 1, "%s: both have it at the same address: %s" % (run, places))
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        guest.stdin.close()
        guest.wait(30)
