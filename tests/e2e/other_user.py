#!/usr/bin/python3
"""A program that gives up its privileges before it executes another one is followed into that.

modes: alone
time: 60
needs: setpriv
"""
import os, subprocess, time

from lib import clearview
from lib.clearview import check


def guarded(pid):
    return [r for r in clearview.rows("ps") if r["pid"] == pid]


def main():
    if os.geteuid():
        clearview.skip("only root can become another user")
    os.chmod(clearview.WORK, 0o755)
    child = subprocess.Popen(clearview.prefix("--redirect=all") + ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(b"here\n")
    child.stdin.flush()
    check(child.stdout.readline() == b"here\n", "it works")
    check(os.path.realpath("/proc/%d/exe" % child.pid).endswith("cat"), "it is cat by now")
    with open("/proc/%d/maps" % child.pid) as f:
        check("clearview-code" in f.read(), "the blob is there")
    left = sorted(os.readlink("/proc/%d/fd/%s" % (child.pid, n)).partition(":")[0] for n in os.listdir("/proc/%d/fd" % child.pid))
    check(len(left) == 3 and not {"/memfd", "socket"} & set(left), "no descriptor of ours is left: %r" % left)
    deadline = time.monotonic() + 20
    while not guarded(child.pid) and time.monotonic() < deadline:
        pass
    rows = guarded(child.pid)
    check(rows and rows[0]["redirected"] > 1000, "it is guarded: %r" % rows)
    child.stdin.close()
    check(child.wait(30) == 0, "it ends")
    print("ok")


main()
