#!/usr/bin/python3
"""Guests that turn on their supervisor: they write nonsense over all that they share with it, at any time. The supervisor lives, doesn't spin when they have
gone, keeps its other guests going, and does nothing to processes that the hostile ones name as theirs.

modes: alone
time: 180
needs: gcc sleep
"""
import os, subprocess, sys, time

from lib import clearview, supervisor
from lib.clearview import check

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SECONDS = float(os.environ.get("HOSTILE_SECONDS", "8"))
SLOWEST_MS = 10000
# What is shared with a supervisor is shared by what it starts: one shell, under ClearView, starts them all.
SCRIPT = """
trap 'kill $(jobs -p) 2>/dev/null' EXIT
"{work}/hostile_neighbour" {seconds} > "{work}/neighbour" & neighbour=$!
for round in {rounds}; do
    "{work}/hostile" {each} $round {others} $neighbour >> "{work}/said" 2>&1 & one=$!
    "{work}/hostile" {each} $((round + 100)) {others} $neighbour >> "{work}/said" 2>&1 & two=$!
    wait $one $two
done
wait $neighbour
exec sleep 1000
"""


def compile(name):
    subprocess.run(["gcc", "-O1", "-w", "-std=gnu17", "-I" + TOP + "/include", "-pthread", "-o", clearview.WORK + "/" + name, HERE + "/" + name + ".c"], check=True)


def status(pid, field):
    with open("/proc/%d/status" % pid) as f:
        return next(line.split(":")[1].split()[0] for line in f if line.startswith(field + ":"))


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bystander_is_well(pid):
    check(status(pid, "State") in "SR" and status(pid, "TracerPid") == "0", "a process outside is left alone")


def neighbour(deadline):
    """What it says at its end."""
    path = clearview.WORK + "/neighbour"
    while time.monotonic() < deadline:
        if os.path.exists(path) and os.path.getsize(path):
            with open(path) as f:
                return f.read().split()
        time.sleep(0.1)
    check(False, "the neighbour comes to its end")


def main():
    for name in ("hostile", "hostile_neighbour"):
        compile(name)
    bystander = subprocess.Popen(["sleep", "1000"])
    rounds = max(2, int(SECONDS / 4))
    script = SCRIPT.format(work=clearview.WORK, seconds=SECONDS, rounds=" ".join(map(str, range(rounds))), each=int(SECONDS / rounds),
                           others="%d %d 1" % (bystander.pid, os.getpid()))
    guest = subprocess.Popen(clearview.prefix("--learn=5") + ["/bin/sh", "-c", script])
    try:
        deadline = time.monotonic() + SECONDS + 60
        while not os.path.exists(clearview.WORK + "/neighbour"):
            check(time.monotonic() < deadline and guest.poll() is None, "the programs start")
            time.sleep(0.02)
        first = supervisor.wait_one([guest.pid])
        while not os.path.getsize(clearview.WORK + "/neighbour"):
            check(time.monotonic() < deadline and guest.poll() is None, "the neighbour comes to its end")
            bystander_is_well(bystander.pid)
            time.sleep(0.1)
        said = neighbour(deadline)
        check(len(said) == 2 and said[0] != "wrong:", "the neighbour's own work is done right: %r" % said)
        check(int(said[0]) > 10 and int(said[1]) < SLOWEST_MS, "the neighbour goes on at a bearable speed: %s rounds, slowest %s ms" % tuple(said))
        print("neighbour: %s rounds, slowest %s ms" % tuple(said))
        check(supervisor.of([guest.pid]) == {first}, "the supervisor is the one it was")
        with open(clearview.WORK + "/said") as f:
            check("not a guest" not in f.read(), "the hostile ones found what they share")
        while subprocess.run(["pgrep", "-x", "hostile"], stdout=subprocess.DEVNULL).returncode == 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        time_before, before = time.monotonic(), cpu_seconds(first)
        while time.monotonic() < time_before + 3:
            time.sleep(0.2)
        used = (cpu_seconds(first) - before) / 3
        check(used < 0.3, "the supervisor is at rest afterwards: %.0f %% of a processor" % (used * 100))
    finally:
        guest.kill()
        bystander.kill()


main()
