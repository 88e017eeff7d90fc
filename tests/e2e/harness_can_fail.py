#!/usr/bin/python3
"""The harness notices what it is there to notice: wrappers that change output, errors, status or leave processes behind, and
supervisors that crash, make a test fail.

modes: native
time: 120
"""
import os, shutil, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from harness import jobs
from lib import clearview
from lib.clearview import check

PROGRAM = r"""/* A program for the harness's own test. */
#include <stdio.h>
int main(void) { puts("ok"); return 0; }
"""
WRAPPERS = {
    "output": 'echo more; exec "$@"',
    "errors": 'echo more >&2; exec "$@"',
    "status": '"$@"; exit 3',
    "signal": '"$@"; kill -SEGV $$',
    "behind": '"$@"; sleep 60 & ',
    "hang": '"$@"; sleep 60',
    "silent": 'exit 0',
}
SECONDS = 3.0


def shell(script):
    return lambda state: ["/bin/sh", "-c", script, "sh"]


def crash(state):
    return shell('mkdir "%s"; echo "error: the supervisor crashes: signal 11" >"%s/supervisor.log"; exec "$@"' % (state, state))(state)


modes = {"native": lambda state: [], "same": shell('exec "$@"'), **{name: shell(script) for name, script in WRAPPERS.items()}, "crash": crash}
setting = jobs.Setting(modes, clearview.WORK, "/nowhere", SECONDS)
with open(clearview.WORK + "/program.c", "w") as f:
    f.write(PROGRAM)
test = jobs.Test("behave", clearview.WORK + "/program.c")
outcomes = {o.name.partition("@")[2]: o for o in jobs.ProgramJob(setting, test, "-O2", test.runs[0]).run()}
check(set(outcomes) == set(modes), "every mode has an outcome")
for mode, outcome in outcomes.items():
    expected = jobs.FAILED if mode in WRAPPERS or mode == "crash" else jobs.PASSED
    check(outcome.status == expected, "%s: %s, should be %s (%s)" % (mode, outcome.status, expected, outcome.text))
shutil.rmtree(outcomes["crash"].folder)      # else the harness that runs this would find a crash, too
