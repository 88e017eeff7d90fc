#!/usr/bin/python3
"""Supervisors are killed while nginx serves: no request fails and the patch stays in force. Another supervisor takes over, by the keeper, by
`clearview adopt` or by the next `clearview run`, can change the patch, and sees nginx to its end.

modes: alone
time: 300
needs: nginx readelf objdump
"""
import random, subprocess, time

from lib import clearview, patches, supervisor
from lib.clearview import check, command
from lib.nginx import Load, Nginx

WORKERS, DEADLINE, SEED = 4, 60.0, 7
KILLS_IN_COMMIT = 6


def activations(number):
    return clearview.row("patches", str(number)).get("activations", 0)


def acts(number, seconds=DEADLINE):
    """Counts reach the state now and then."""
    before, deadline = activations(number), time.monotonic() + seconds
    while time.monotonic() < deadline:
        if activations(number) > before:
            return True
        time.sleep(0.1)
    return False


def change(verb, number):
    done = command("patches", verb, str(number))
    check(done.returncode == 0, "patches %s: exit %d: %s" % (verb, done.returncode, done.stderr))


def patch_can_be_changed(number, load):
    change("disable", number)
    time.sleep(2.5)         # what was counted before has reached the state by then
    check(not acts(number, 2), "a disabled patch does not act")
    change("enable", number)
    check(acts(number), "an enabled patch acts")
    check(load.wait_requests(200), "requests are answered")


def kill_in_commit(ours, number, random):
    """The supervisor dies while it puts the patch in or out."""
    one = supervisor.wait_one(ours)
    supervisor.keeper(one)
    changing = subprocess.Popen([clearview.PATH, "patches", random.choice(["disable", "enable"]), str(number), "--state", clearview.WORK + "/state"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.uniform(0.005, 0.08))
    supervisor.kill(one)
    changing.wait()
    return one


nginx = Nginx(clearview.WORK + "/nginx", clearview.prefix(), workers=WORKERS)
load = None
try:
    check(nginx.wait_ready(), "nginx starts: " + open(nginx.folder + "/log").read())
    done = command("patches", "import", patches.write(clearview.WORK + "/patch.json", patches.acting()))
    check(done.returncode == 0, "import: " + done.stderr)
    number = clearview.rows("patches")[0]["id"]
    load = Load(nginx)
    check(load.wait_requests(200) and acts(number), "requests are answered, the patch acts")
    ours, dead = [nginx.master()] + nginx.workers(), []
    check(len(ours) == WORKERS + 1, "all workers run")
    for _ in range(2):
        dead.append(supervisor.wait_one(ours, dead))
        supervisor.keeper(dead[-1])
        supervisor.kill(dead[-1])
        check(load.wait_requests(300), "requests are answered without a supervisor")
    supervisor.wait_one(ours, dead)
    check(acts(number), "the patch acts under the supervisor that the keeper started")
    chance = random.Random(SEED)
    for _ in range(KILLS_IN_COMMIT):
        dead.append(kill_in_commit(ours, number, chance))
        check(load.wait_requests(100), "requests are answered when the supervisor was killed in the middle of a change")
        command("adopt")    # keepers wait a while when this happens too often
        supervisor.wait_one(ours, dead)
    change("enable", number)
    patch_can_be_changed(number, load)

    dead.append(supervisor.wait_one(ours))
    supervisor.kill_for_good(dead[-1])
    check(load.wait_requests(500), "requests are answered without a supervisor")
    check(supervisor.of(ours) == {None}, "ps says that the supervisor is gone: %s" % supervisor.of(ours))
    done = command("adopt")
    check(done.returncode == 0 and "adopted %d processes" % len(ours) in done.stdout, "adopt: %s%s" % (done.stdout, done.stderr))
    supervisor.wait_one(ours, dead)
    check("no process" in command("adopt").stdout, "there is nothing left to adopt")
    patch_can_be_changed(number, load)

    dead.append(supervisor.wait_one(ours))
    supervisor.kill_for_good(dead[-1])
    subprocess.run(clearview.prefix() + ["/bin/true"], check=True, timeout=DEADLINE)
    supervisor.wait_one(ours, dead)
    check(load.wait_requests(200) and acts(number), "the next run has had them adopted")
    check([nginx.master()] + nginx.workers() == ours, "no process was lost")
finally:
    requests, failed = load.stop() if load else (0, [])
    status = nginx.stop()
check(not failed, "no request failed: %d of %d did: %s" % (len(failed), requests, failed[:3]))
check(status == 0, "a graceful end gives exit 0, not %d" % status)
print("%d requests, slowest %.3f s" % (requests, load.slowest))
