"""Supervisors, as `clearview ps` and /proc know them, and their sudden end."""
import os, signal, time

from . import clearview
from .clearview import check

DEADLINE = 60.0


def of(pids, state=None):
    """Who supervises these processes; None for nobody, "unlisted" for those that ps does not know (yet)."""
    guests = {row["pid"]: row["supervisor"] for row in clearview.rows("ps", state=state)}
    return {guests.get(pid, "unlisted") for pid in pids}


def wait_one(pids, other_than=(), seconds=DEADLINE, state=None):
    """The one that supervises all of them, once there is one that is none of `other_than`."""
    deadline, found = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        found = of(pids, state)
        if len(found) == 1 and not found & {None, "unlisted", *other_than}:
            return found.pop()
        time.sleep(0.02)
    check(False, "one supervisor for %s, other than %s: %s" % (pids, other_than, found))


def keeper(pid):
    """The process that waits to start another one in place of this one. Supervisors get one when their guests have lived for a moment."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            children = f.read().split()
        for child in children:
            with open("/proc/%s/comm" % child) as f:
                if f.read().strip() == "clearview-keep":
                    return int(child)
        time.sleep(0.02)
    check(False, "supervisor %d has a keeper" % pid)


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def kill_for_good(pid):
    """With its keeper: nobody starts another one."""
    kill(keeper(pid))
    kill(pid)
