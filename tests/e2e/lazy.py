#!/usr/bin/python3
"""Text that is redirected when it is first executed: programs do as natively, forks and threads, too, and libraries that are loaded later; and less is redirected.

modes: alone
time: 120
needs: perl python3
"""
import os, re, subprocess, time

from lib import clearview
from lib.clearview import check

STATE = clearview.WORK + "/state"
PROGRAMS = {
    "libraries": ["python3", "-c", "import json, ssl, sqlite3; print(json.dumps({'a': [1, 2.5]}), sqlite3.connect(':memory:').execute('select 6*7').fetchall())"],
    "forks": ["perl", "-e", "$|=1; for (1..8) { if (!fork) { print sort map { sprintf qq(%03d\\n), $_ } 1..3; exit 0 } wait } print qq(done\\n)"],
    "threads": ["python3", "-c", "import threading as t; l = []; s = [t.Thread(target=lambda i=i: l.append(i * i)) for i in range(20)]; [x.start() for x in s]; [x.join() for x in s]; print(sorted(l))"],
}


def run(command, *options):
    return subprocess.run([clearview.PATH, "run", "--state", STATE, "--debug", *options, "--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)


def logged():
    if not os.path.exists(STATE + "/supervisor.log"):
        return []
    with open(STATE + "/supervisor.log") as log:
        return re.findall(r"/perl: springboards (\d+) long", log.read())


def count(*options):
    """Springboards; the supervisor logs how many there were when the process has ended."""
    before, deadline = len(logged()), time.monotonic() + 30
    check(run(["perl", "-e", "1"], *options).returncode == 0, "perl runs")
    while len(logged()) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    check(len(logged()) > before, "what was redirected is logged")
    return int(logged()[-1])


for name, command in PROGRAMS.items():
    native = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lazy = run(command, "--redirect=lazy")
    check((native.returncode, native.stdout, native.stderr) == (lazy.returncode, lazy.stdout, lazy.stderr), "%s: %s, natively %s" % (name, lazy, native))
few, all_of_it = count("--redirect=lazy"), count("--redirect=all")
check(0 < few < all_of_it / 2, "less is redirected than at once: %d of %d" % (few, all_of_it))
