#!/usr/bin/python3
"""nginx is attached to and let go of, again and again, while it serves: no request is lost, and behind each cycle nothing of ClearView is left in it. ATTACH_CYCLES
says how often (default 3; 100 take some minutes). Then supervisors are killed in the middle of attaching and letting go: it serves on.

modes: alone
time: 300
needs: nginx
"""
import os, random, re, subprocess, time

from lib import clearview
from lib.clearview import check, command
from lib.nginx import Load, Nginx
from lib.text import text_differs

CYCLES, KILLS, SEED = int(os.environ.get("ATTACH_CYCLES", "3")), 4, 11


def links(pid):
    """Where its descriptors lead to; it opens and closes some meanwhile."""
    found = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            found.append(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except FileNotFoundError:
            pass
    return found


def is_clean(pid):
    with open("/proc/%d/maps" % pid) as f:
        check("clearview" not in f.read(), "no mapping of ours is left in %d" % pid)
    check(not text_differs(pid), "the text of %d is that of its files: %s" % (pid, text_differs(pid)))
    ours = [l for l in links(pid) if "memfd:clearview" in l]
    check(not ours, "no descriptor of ours is left in %d: %s" % (pid, ours))


def tell_story():
    """What became of a process that has gone: nginx says which signal ended it, the supervisors what they did to it last."""
    for name, lines in (nginx.folder + "/error.log", 20), (clearview.WORK + "/state/supervisor.log", 60), (clearview.WORK + "/killed/supervisor.log", 60):
        if os.path.exists(name):
            with open(name, errors="replace") as f:
                print("--- %s\n%s" % (name, "".join(f.readlines()[-lines:])))


def none_is_lost(ours, words):
    now = [nginx.master()] + nginx.workers()
    if now != ours:
        tell_story()
    check(now == ours, "no process was lost %s: %s, now %s" % (words, ours, now))


def signals(pid):
    with open("/proc/%d/status" % pid) as f:
        return [line for line in f if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def stops(text):
    return [float(n) for n in re.findall(r"longest stop ([0-9.]+) ms", text)]


def cycle(nginx, ours, options):
    attached = command("attach", "--tree", "--debug", *options, str(nginx.master()))
    none_is_lost(ours, "by attaching")
    check(attached.returncode == 0 and len(stops(attached.stdout)) == len(ours), "attach: %d: %s" % (attached.returncode, attached.stderr))
    check(all("clearview" in open("/proc/%d/maps" % pid).read() for pid in ours), "all are guarded")
    detached = command("detach", "--tree", str(nginx.master()))
    none_is_lost(ours, "by letting go")
    check(detached.returncode == 0 and len(stops(detached.stdout)) == len(ours), "detach: %d: %s" % (detached.returncode, detached.stderr))
    for pid in ours:
        is_clean(pid)
    return stops(attached.stdout), stops(detached.stdout)


def descendants():
    """Supervisors and keepers of this state folder."""
    done = subprocess.run(["pgrep", "-x", "clearview|clearview-keep"], stdout=subprocess.PIPE, text=True)
    wanted = (clearview.WORK + "/killed").encode()
    found = []
    for pid in map(int, done.stdout.split()):
        try:
            links = [os.readlink("/proc/%d/fd/%s" % (pid, fd)).encode() for fd in os.listdir("/proc/%d/fd" % pid)]
        except OSError:
            continue
        if any(l.startswith(wanted) for l in links):
            found.append(pid)
    return found


def kill_in_the_middle(nginx, chance, verb):
    """Whoever works for this state folder is killed after a moment."""
    state = clearview.WORK + "/killed"
    worker = nginx.workers()[0]
    with subprocess.Popen([clearview.PATH, verb, "--state", state, str(worker)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as busy:
        time.sleep(chance.uniform(0.01, 0.25))
        for pid in descendants():
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        busy.kill()


nginx = Nginx(clearview.WORK + "/nginx", workers=2)
try:
    check(nginx.wait_ready(), "nginx starts: " + open(nginx.folder + "/log").read())
    ours = [nginx.master()] + nginx.workers()
    check(len(ours) == 3, "all workers run")
    before, held = [signals(pid) for pid in ours], [descriptors(pid) for pid in ours[:1]]
    load = Load(nginx)
    check(load.wait_requests(200), "requests are answered")
    longest_in, longest_out = [], []
    for n in range(CYCLES):
        into, out = cycle(nginx, ours, ["--redirect=all"] if n == CYCLES // 2 else [])
        longest_in, longest_out = longest_in + into, longest_out + out
        check(load.wait_requests(50), "requests are answered behind cycle %d" % n)
    check([signals(pid) for pid in ours] == before, "signal actions and masks are as before")
    check([descriptors(pid) for pid in ours[:1]] == held, "as many descriptors as before")
    requests, failed = load.stop()
    check(not failed, "no request was lost: %s" % failed[:3])
    none_is_lost(ours, "under load")
    load, chance = Load(nginx), random.Random(SEED)
    for n in range(KILLS):
        kill_in_the_middle(nginx, chance, "detach" if n % 2 else "attach")
        check(load.wait_requests(50), "requests are answered when the supervisor was killed in the middle (%d)" % n)
    more, failed = load.stop()
    check(not failed, "no request was lost to a killed supervisor: %s" % failed[:3])
    none_is_lost(ours, "to a killed supervisor")
    check(nginx.stop() == 0, "a graceful end")
finally:
    if nginx.child.poll() is None:
        nginx.child.kill()
print("%d requests; longest stop in %.1f ms, out %.1f ms" % (requests + more, max(longest_in), max(longest_out)))
