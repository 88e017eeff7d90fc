#!/usr/bin/python3
"""What a program does while it has no supervisor: patches on faults act, also in new children, it can run programs, and a failure that no patch
knows ends it as natively. Its file may be replaced meanwhile. A failure that happens while the keeper's supervisor is about to take over is not
lost. All of it with and without privileges.

modes: alone
time: 120
needs: gcc nm readelf setpriv
"""
import json, os, re, shutil, subprocess, sys, time

from lib import clearview, supervisor
from lib.clearview import check, command

PROGRAM = clearview.WORK + "/poked"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "poked.c")
SIGSEGV, NOBODY = 11, 65534


class Poked:
    def __init__(self, state, *options):
        self.state = clearview.WORK + "/" + state
        self.child = subprocess.Popen(clearview.prefix(*options, state=self.state) + [PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        check(self.ask("hello") == "heard hello", "the program answers")

    def ask(self, line):
        """The answer; empty when the program died of the question."""
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().strip()

    def supervisor(self, other_than=()):
        return supervisor.wait_one([self.child.pid], other_than, state=self.state)

    def dies_of(self, line, seconds=20):
        started = time.monotonic()
        check(self.ask(line) == "" and self.child.wait(seconds) == -SIGSEGV, "%s ends it by SIGSEGV: %s" % (line, self.child.returncode))
        return time.monotonic() - started


def patch():
    """At the load: where it faults, skip it."""
    notes = subprocess.run(["readelf", "-n", PROGRAM], check=True, stdout=subprocess.PIPE, text=True).stdout
    symbols = subprocess.run(["nm", PROGRAM], check=True, stdout=subprocess.PIPE, text=True).stdout
    offset = int(re.search(r"^([0-9a-f]+) . poke_load$", symbols, re.M)[1], 16)
    at = {"module": re.search(r"Build ID: ([0-9a-f]+)", notes)[1], "offset": hex(offset)}
    return {"format": "clearview-patch", "version": 1, "monitor": "crash", "location": at,
            "patch": {"at": at, "guard": "fault", "action": "skip", "value": 5, "state": "kept", "pinned": True}}


def acts_without_supervisor():
    p = Poked("patched")
    with open(clearview.WORK + "/patch.json", "w") as f:
        json.dump(patch(), f)
    done = command("patches", "import", clearview.WORK + "/patch.json", state=p.state)
    check(done.returncode == 0, "import: " + done.stderr)
    number = clearview.rows("patches", state=p.state)[0]["id"]
    check(p.ask("poke") == "poked 5" and p.ask("fork") == "forked 5", "the patch acts")
    first = p.supervisor()
    supervisor.kill_for_good(first)
    check(p.ask("poke") == "poked 5" and p.ask("fork") == "forked 5", "the patch acts without a supervisor, also in a new child")
    check(p.ask("say") == "said" and p.ask("more") == "heard more", "programs can be run")
    shutil.copy(PROGRAM, PROGRAM + ".new")
    os.replace(PROGRAM + ".new", PROGRAM)   # as an upgrade does it
    check(command("adopt", state=p.state).stdout == "adopted 1 process\n", "it is adopted")
    p.supervisor([first])
    check(p.ask("poke") == "poked 5" and p.ask("fork") == "forked 5" and p.ask("say") == "said", "everything works under the new supervisor")
    p.ask("spoil")
    check("heap" in [f["monitor"][:4] for f in clearview.rows("failures", state=p.state)], "the heap is watched as before")
    done = command("patches", "disable", str(number), state=p.state)
    check(done.returncode == 0, "disable: " + done.stderr)
    p.dies_of("poke")
    check(clearview.rows("failures", state=p.state)[0]["presentations"] >= 1, "the new supervisor has seen the failure")


def dies_natively():
    p = Poked("orphan")
    supervisor.kill_for_good(p.supervisor())
    seconds = p.dies_of("poke")
    check(seconds < 10, "it does not hang: %.1f s" % seconds)
    check(not clearview.rows("failures", state=p.state), "nobody has seen it")


def failure_during_respawn():
    p = Poked("respawn")
    one = p.supervisor()
    supervisor.keeper(one)
    supervisor.kill(one)
    p.dies_of("poke")
    check(len(clearview.rows("failures", state=p.state)) == 1, "the supervisor that took over has seen the failure")


def as_nobody():
    """The whole test again, without the privileges that it has as root."""
    folder = clearview.WORK + "/nobody"
    os.mkdir(folder)
    os.chown(folder, NOBODY, NOBODY)
    prefix = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    if subprocess.run(prefix + [clearview.PATH, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        print("not tested without privileges: they can't reach " + clearview.PATH)
        return
    done = subprocess.run(prefix + [sys.executable, os.path.abspath(__file__)], env=dict(os.environ, TMPDIR=folder, HOME=folder))
    check(done.returncode == 0, "the same works without privileges")


subprocess.run(["gcc", "-O1", "-Wl,--build-id", "-o", PROGRAM, SOURCE], check=True)
acts_without_supervisor()
dies_natively()
failure_during_respawn()
if os.geteuid() == 0:
    as_nobody()
