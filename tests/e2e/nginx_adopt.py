#!/usr/bin/python3
"""The supervisor is killed while nginx serves: no request fails, the patch goes on acting; another supervisor adopts the guests, and can change
the patch and see nginx to its end.

modes: alone
time: 120
needs: nginx readelf objdump
"""
import os, signal, subprocess, time

from lib import clearview, patches
from lib.clearview import check, command
from lib.nginx import DEADLINE, Load, Nginx


def supervisors(nginx):
    """Who supervises nginx's processes, by ps; None for nobody, "unlisted" for those that ps does not know (yet)."""
    guests = {row["pid"]: row["supervisor"] for row in clearview.rows("ps")}
    return {guests.get(pid, "unlisted") for pid in [nginx.master()] + nginx.workers()}


def wait_supervisor(nginx, pid):
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if supervisors(nginx) == {pid}:
            return True
        time.sleep(0.05)
    return False


def wait_activations(number, wanted):
    """Counts reach the state now and then."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if clearview.row("patches", str(number)).get("activations", 0) > wanted:
            return True
        time.sleep(0.1)
    return False


nginx = Nginx(clearview.WORK + "/nginx", clearview.prefix())
load = adopter = None
try:
    check(nginx.wait_ready(), "nginx starts: " + open(nginx.folder + "/log").read())
    done = command("patches", "import", patches.write(clearview.WORK + "/patch.json", patches.acting()))
    check(done.returncode == 0, "import: " + done.stderr)
    number = clearview.rows("patches")[0]["id"]
    load = Load(nginx)
    check(load.wait_requests(200), "requests are answered")
    check(wait_supervisor(nginx, nginx.child.pid), "the supervisor is what was started: %s" % supervisors(nginx))
    before, workers = clearview.row("patches", str(number)).get("activations", 0), nginx.workers()
    os.kill(nginx.child.pid, signal.SIGKILL)
    nginx.child.wait()
    check(load.wait_requests(1000), "requests are answered without a supervisor")
    check(supervisors(nginx) == {None} and nginx.workers() == workers, "nginx runs on, ps says that its supervisor is gone")
    adopter = subprocess.Popen([clearview.PATH, "adopt", "--state", clearview.WORK + "/state"], stderr=subprocess.PIPE, text=True)
    check(wait_supervisor(nginx, adopter.pid), "adopt takes over all processes: %s" % supervisors(nginx))
    load.wait_requests(200)
    check(wait_activations(number, before + 500), "the patch acted all along")
    done = command("patches", "disable", str(number))
    check(done.returncode == 0, "the patch can be disabled: " + done.stderr)
    check(load.wait_requests(500), "requests are answered by adopted guests")
    check(nginx.workers() == workers, "no worker was lost")
finally:
    requests, failed = load.stop() if load else (0, [])
    os.kill(nginx.master(), signal.SIGQUIT)
    if adopter:
        adopter.wait(DEADLINE)
check(not failed, "no request failed: %d of %d did: %s" % (len(failed), requests, failed[:3]))
print("%d requests, slowest %.3f s" % (requests, load.slowest))
