#!/usr/bin/python3
"""Programs in different pid namespaces, as in containers, share a state folder: their supervisors have the same pid, and both are heard.

modes: alone
needs: unshare
time: 60
"""
import glob, os, subprocess, time

from lib import clearview
from lib.clearview import WORK, check, skip

UNSHARE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
INIT = ["sh", "-c", '"$@"; exec cat', "sh"] # its end is that of the namespace
STATE = WORK + "/state"


def sockets():
    return sorted(os.path.basename(name) for name in glob.glob(STATE + "/run/[0-9]*.sock"))


def await_sockets(count):
    deadline = time.monotonic() + 20
    while len(sockets()) != count and time.monotonic() < deadline:
        time.sleep(0.01)
    check(len(sockets()) == count, "%d supervisors are there: %r" % (count, sockets()))


if subprocess.run([*UNSHARE, "true"], stderr=subprocess.DEVNULL).returncode:
    skip("no user and pid namespaces here")
guests = []
for number in (1, 2):
    guests.append(subprocess.Popen([*UNSHARE, *INIT, *clearview.prefix(state=STATE), "dd", "bs=1", "count=2", "status=none"], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    guests[-1].stdin.write(b"x")
    guests[-1].stdin.flush()
    check(os.read(guests[-1].stdout.fileno(), 1) == b"x", "guest %d runs" % number)
    await_sockets(number)
pids = {name.partition("-")[0] for name in sockets()}
check(len(pids) == 1, "both supervisors have the same pid: %r" % sockets())
for left in (1, 0):
    guests[left].stdin.write(b"y")
    guests[left].stdin.flush()
    await_sockets(left)
for guest in guests:
    check(guest.communicate()[0] == b"y" and guest.returncode == 0, "both programs end well")
