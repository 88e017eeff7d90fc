#!/usr/bin/python3
"""Control is led to where it has no business to go: into the middle of procedures and of instructions, by return, call, jump and a forged signal frame, along a
chain of such places. Natively that works; under --strict=firewall it never does, the failure is at the transferring instruction, and calls are survived.
Code that the program makes at run time is executed only if the program was declared to make some.

modes: alone
time: 240
needs: gcc nm
"""
import os, signal, subprocess

from lib import clearview
from lib.clearview import check

PROGRAM = clearview.WORK + "/diverted"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "diverted.c")
TAKEN, END = (7, "taken\n"), (0, "end\n")
PRESENTATIONS = 4
SECONDS = 20.0

# way -> the procedure that has the transferring instruction, None: it can't be told; survived
WAYS = {
    "return": ("smash", False),
    "chain": ("smash", False),
    "call": ("go_call", True),
    "call-inside": ("go_call", True),
    "jump": ("go_jump", False),
    "frame": (None, False),
}


def symbols():
    """Name -> range of offsets."""
    lines = [l.split() for l in subprocess.run(["nm", "-S", PROGRAM], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()]
    return {l[3]: range(int(l[0], 16), int(l[0], 16) + int(l[1], 16)) for l in lines if len(l) == 4}


def run(way, prefix=()):
    ended = subprocess.run([*prefix, PROGRAM, way], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=SECONDS)
    return ended.returncode, ended.stdout


def attack(way, procedure, survived, functions):
    state = clearview.WORK + "/" + way
    guarded = clearview.prefix("--strict=firewall", state=state)
    native = (0, "end\n") if way == "call-inside" else TAKEN
    check(run(way) == native, "%s works natively" % way)
    check(run(way, clearview.prefix("--redirect=direct", state=state + ".redirect")) == native, "%s works where all is redirected" % way)
    outcomes = [run(way, guarded) for _ in range(PRESENTATIONS)]
    check(outcomes[0] == (-signal.SIGSEGV, ""), "%s ends at first: %r" % (way, outcomes))
    check(not any("taken" in text for _, text in outcomes), "%s takes nothing: %r" % (way, outcomes))
    failures = clearview.rows("failures", state=state)
    check(failures[0]["monitor"] == "firewall", "%s is the firewall's: %r" % (way, failures))
    check(not procedure or int(failures[0]["at"]["offset"], 16) in functions[procedure], "%s is in %s: %r" % (way, procedure, failures))
    check(not survived or outcomes[-1] == END, "%s is survived: %r" % (way, outcomes))


def made_code():
    state = clearview.WORK + "/data"
    guarded = clearview.prefix("--strict=firewall", state=state)
    check(run("data") == TAKEN, "code made at run time runs natively")
    check(run("data", clearview.prefix("--strict=firewall", "--jit=some,diverted", state=state + ".jit")) == TAKEN, "and where it is declared")
    outcomes = [run("data", guarded) for _ in range(PRESENTATIONS)]
    check(outcomes[0] == (-signal.SIGSEGV, "") and not any("taken" in text for _, text in outcomes), "else it doesn't: %r" % outcomes)
    check(outcomes[-1] == END, "and is survived: %r" % outcomes)
    told = [e["text"] for e in clearview.rows("events", state=state) if e["kind"] == "firewall"]
    check(len(told) == PRESENTATIONS and "--jit=diverted" in told[0], "the log names the option: %r" % told)
    check(clearview.rows("failures", state=state)[0]["monitor"] == "control", "a failure has its place")


def main():
    subprocess.run(["gcc", "-O1", "-w", "-fno-stack-protector", "-fno-omit-frame-pointer", "-o", PROGRAM, SOURCE], check=True)
    functions = symbols()
    state = clearview.WORK + "/nothing"
    check(run("nothing") == END and run("nothing", clearview.prefix("--strict=firewall", state=state)) == END, "what programs do is let through")
    check(not clearview.rows("failures", state=state), "and is no failure")
    for way, (procedure, survived) in WAYS.items():
        attack(way, procedure, survived, functions)
    made_code()


main()
