#!/usr/bin/python3
"""A heap block is overrun. The first time that is found when it is freed, or by the scan while it is in use, and the program goes on as it does natively. From
the next time on the writing instruction itself is the location, and then a patch discards what it writes outside. A double free ends the program once.

modes: alone
time: 120
needs: gcc nm
"""
import os, signal, subprocess, time

from lib import clearview
from lib.clearview import check

PROGRAM = clearview.WORK + "/heap_overrun"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "heap_overrun.c")
NATIVE = "the other one\nend\n"
SECONDS = 20.0


def symbols():
    """Name -> range of offsets."""
    lines = [l.split() for l in subprocess.run(["nm", "-S", PROGRAM], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()]
    return {l[3]: range(int(l[0], 16), int(l[0], 16) + int(l[1], 16)) for l in lines if len(l) == 4}


def run(what, state, *options):
    return subprocess.run(clearview.prefix("--restart=never", *options, state=state) + [PROGRAM, what], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=SECONDS)


def goes_on(what, state, *options):
    ended = run(what, state, *options)
    check((ended.returncode, ended.stdout) == (0, NATIVE), "%s goes on as natively: %d %r %r" % (what, ended.returncode, ended.stdout, ended.stderr))


def heap_failures(state):
    return [f for f in clearview.rows("failures", state=state) if f["monitor"] == "heap"]


def places(state):
    return [int(f["at"]["offset"], 16) for f in heap_failures(state)]


def overrun(functions):
    state = clearview.WORK + "/overrun"
    goes_on("nothing", state)
    check(not heap_failures(state), "nothing is found where nothing is wrong")
    goes_on("overrun", state)
    check(len(places(state)) == 1 and places(state)[0] in functions["release"], "first it is found at free: %r" % heap_failures(state))
    goes_on("overrun", state)
    writers = [f for f in heap_failures(state) if int(f["at"]["offset"], 16) in functions["overrun"]]
    check(len(writers) == 1, "then at the writing instruction: %r" % heap_failures(state))
    for _ in range(3):
        goes_on("overrun", state)
    patched = [f for f in heap_failures(state) if f["id"] == writers[0]["id"]][0]
    check(patched["state"] == "patched", "then it is patched: %r" % patched)
    patch = [p for p in clearview.rows("patches", state=state) if p["id"] == patched["patch"]][0]
    check(patch["action"] == "discard" and patch["activations"] >= 8, "by discarding what is written outside: %r" % patch)
    seen = patched["presentations"]
    goes_on("overrun", state)
    check([f for f in heap_failures(state) if f["id"] == patched["id"]][0]["presentations"] == seen, "and does not fail again")


def without():
    state = clearview.WORK + "/without"
    goes_on("overrun", state, "--no-heap")
    check(not heap_failures(state), "--no-heap leaves the allocator alone")


def late(functions):
    """The block stays in use: the scan finds it, and says where it was allocated."""
    state = clearview.WORK + "/late"
    child = subprocess.Popen(clearview.prefix("--restart=never", state=state) + [PROGRAM, "late"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + SECONDS
    found = []
    while not found and time.monotonic() < deadline:
        time.sleep(0.1)
        if os.path.isdir(state) and clearview.command("failures", "--json", state=state).returncode == 0:
            found = places(state)
    output, _ = child.communicate(timeout=SECONDS)
    check(len(found) == 1 and found[0] in functions["make"], "the scan finds the block's allocation: %r" % found)
    check((child.returncode, output) == (0, NATIVE), "it goes on: %d %r" % (child.returncode, output))
    check(places(state) == found, "the same damage is not told twice: %r" % heap_failures(state))


def double_free(functions):
    state = clearview.WORK + "/free"
    ended = run("free", state)
    check(ended.returncode == -signal.SIGABRT, "the first double free ends as natively: %d" % ended.returncode)
    check(len(places(state)) == 1 and places(state)[0] in functions["release"], "it is a heap failure: %r" % heap_failures(state))
    check(len(clearview.rows("failures", state=state)) == 1, "the allocator's abort is no failure of its own")
    for _ in range(3):
        ended = run("free", state)
    check((ended.returncode, ended.stdout) == (0, NATIVE), "then it is survived: %d %r" % (ended.returncode, ended.stderr))


def main():
    subprocess.run(["gcc", "-O1", "-w", "-o", PROGRAM, SOURCE], check=True)
    functions = symbols()
    overrun(functions)
    without()
    late(functions)
    double_free(functions)


main()
