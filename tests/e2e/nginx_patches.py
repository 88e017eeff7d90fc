#!/usr/bin/python3
"""A patch goes in and out of a busy nginx a thousand times: no request fails, and it acts exactly when it is in force.

modes: alone
time: 400
needs: nginx readelf objdump
"""
import os, time

from lib import clearview, patches
from lib.clearview import check, command
from lib.nginx import Load, Nginx

PATIENCE = 10.0         # seconds
TIMES = int(os.environ.get("TIMES", "1000"))


def activations(number):
    """Counted so far, as the command says it."""
    return clearview.row("patches", str(number)).get("activations", 0)


def change(verb, number):
    done = command("patches", verb, str(number))
    check(done.returncode == 0, "patches %s: exit %d, %s" % (verb, done.returncode, done.stderr))


def settle(number):
    """Until what was counted before has reached the state: the count stands still."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        before = activations(number)
        time.sleep(2)
        if activations(number) == before:
            return


def acts(number, load):
    """Does the number of its activations grow while requests are answered? Counts reach the state now and then: it is asked for some time."""
    before, deadline = activations(number), time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        check(load.wait_requests(50), "requests are answered")
        if activations(number) > before:
            return True
    return False


nginx = Nginx(clearview.WORK + "/nginx", clearview.prefix())
load = None
try:
    check(nginx.wait_ready(), "nginx starts: " + open(nginx.folder + "/log").read())
    done = command("patches", "import", patches.write(clearview.WORK + "/patch.json", patches.acting()))
    check(done.returncode == 0, "import: " + done.stderr)
    number = clearview.rows("patches")[0]["id"]
    load = Load(nginx)
    change("enable", number)
    check(acts(number, load), "an enabled patch acts")
    for _ in range(TIMES):
        change("disable", number)
        change("enable", number)
    check(acts(number, load), "it still acts after %d times" % TIMES)
    change("disable", number)
    settle(number)
    check(not acts(number, load), "a disabled patch does not act")
finally:
    requests, failed = load.stop() if load else (0, [])
    status = nginx.stop()
check(not failed, "no request failed: %d of %d did: %s" % (len(failed), requests, failed[:3]))
check(status == 0, "a graceful end gives exit 0, not %d" % status)
print("%d requests, slowest %.3f s" % (requests, load.slowest))
