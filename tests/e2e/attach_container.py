#!/usr/bin/python3
"""Processes in containers, other mount, pid and user namespaces with another root, are attached to and let go of from the host: threads that compute, block, and
block in a handler.

modes: alone
time: 90
needs: unshare gcc
"""
import os, shutil, subprocess, time

from lib import clearview
from lib.clearview import check, command, skip

PROGRAM, ROOT = clearview.WORK + "/attach_threads", clearview.WORK + "/root"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "attach_threads.c")
PID = ["--pid", "--fork"]
KINDS = {"pid": PID, "user": ["--user", "--map-root-user", *PID, "--mount-proc"],
         "all": ["--user", "--map-root-user", *PID, "--mount", "--net", "--ipc", "--uts", "--root", ROOT]}


def descendant(pid):
    """The last in a row of only children, when it is the program."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            children = f.read().split()
        if children:
            with open("/proc/%s/comm" % children[0]) as f:
                if f.read() == "attach_threads\n":
                    return int(children[0])
        time.sleep(0.01)
    check(False, "the program starts")


def in_container(name, options, program):
    if subprocess.run(["unshare", *PID, *options[:2], "true"], stderr=subprocess.DEVNULL).returncode:
        skip("no %s namespaces here" % name)
    with subprocess.Popen(["unshare", *options, program, "1", "3", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        check(child.stdout.readline() == "go\n", name + ": it starts")
        pid = descendant(child.pid)
        for verb, words in ("attach", ["--redirect=all"]), ("detach", []):
            done = command(verb, *words, str(pid))
            check(done.returncode == 0 and "longest stop" in done.stdout, "%s: %s: exit %d: %s" % (name, verb, done.returncode, done.stderr))
            child.stdin.write(verb + "\n")
            child.stdin.flush()
            check(child.stdout.readline() == verb + "\n", "%s: it answers behind %s" % (name, verb))
        with open("/proc/%d/maps" % pid) as f:
            check("memfd:clearview" not in f.read(), name + ": nothing of ours is left")
        child.stdin.close()
        check(child.wait(20) == 0, name + ": it ends well")


subprocess.run(["gcc", "-O1", "-pthread", "-static", "-o", PROGRAM, SOURCE], check=True)
os.makedirs(ROOT + "/bin")
shutil.copy(PROGRAM, ROOT + "/bin")
for name, options in KINDS.items():
    in_container(name, options, "/bin/attach_threads" if ROOT in options else PROGRAM)
