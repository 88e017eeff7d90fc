#!/usr/bin/python3
"""Processes with system call filters: those that would forbid what guarding needs are told before anything is touched, and live on; the others are attached to.
The same for guarded ones that are to be let go of.

modes: alone
time: 60
needs: gcc
"""
import os, subprocess

from lib import clearview
from lib.clearview import check, command

CANNOT = 126
PROGRAM = clearview.WORK + "/attach_filtered"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "attach_filtered.c")
FORBIDDEN = {"sockets": "socketpair", "executable": "mmap", "waiting": "sched_yield", "thread": "socketpair"}


class Filtered:
    def __init__(self, kind, prefix=()):
        self.kind, self.child = kind, subprocess.Popen([*prefix, PROGRAM, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        check(self.child.stdout.readline() == "filtered\n", kind + ": the filter is there")

    def lives(self, when):
        self.child.stdin.write("hello\n")
        self.child.stdin.flush()
        check(self.child.stdout.readline() == "hello\n", "%s: it answers %s; exit %s" % (self.kind, when, self.child.poll()))

    def end(self):
        self.child.communicate()
        check(self.child.returncode == 0, "%s: it ends well: %s" % (self.kind, self.child.returncode))


subprocess.run(["gcc", "-O1", "-pthread", "-o", PROGRAM, SOURCE], check=True)
one = Filtered("harmless")
if os.geteuid() == 0:
    for verb, options in ("attach", ["--redirect=all"]), ("detach", []):
        done = command(verb, *options, str(one.child.pid))
        check(done.returncode == 0, "%s: exit %d: %s" % (verb, done.returncode, done.stderr))
        one.lives("behind " + verb)
else:
    done = command("attach", str(one.child.pid))
    check(done.returncode == CANNOT and "can't be read" in done.stderr, "who may not read filters is told: %d: %s" % (done.returncode, done.stderr))
    one.lives("still")
one.end()
for kind, call in FORBIDDEN.items():
    one = Filtered(kind)
    done = command("attach", str(one.child.pid))
    words = "forbid " + call if os.geteuid() == 0 else "can't be read"
    check(done.returncode == CANNOT and words in done.stderr, "%s is told: exit %d: %s" % (call, done.returncode, done.stderr))
    with open("/proc/%d/maps" % one.child.pid) as f:
        check("memfd:clearview" not in f.read(), kind + ": nothing of ours is in it")
    one.lives("still")
    one.end()
for kind, call in (("harmless", None), ("stacks", "sigaltstack")):
    one = Filtered(kind, clearview.prefix())
    done = command("detach", str(one.child.pid))
    if call is None and os.geteuid() == 0:
        check(done.returncode == 0, "detach: exit %d: %s" % (done.returncode, done.stderr))
    else:
        words = "forbid " + call if call and os.geteuid() == 0 else "can't be read"
        check(done.returncode == CANNOT and words in done.stderr, "%s is told: exit %d: %s" % (kind, done.returncode, done.stderr))
    one.lives("behind detach")
    one.end()
