#!/usr/bin/python3
"""--perf-map: /tmp/perf-PID.map names every copy, of the process that was launched, of its children, and of what it execs.

modes: alone
needs: gcc
time: 60
"""
import os, re, subprocess, time

from lib import clearview
from lib.clearview import WORK, check

PROGRAM = r"""
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
__attribute__((noinline)) int hot_procedure(int n) { return n * 3; }
int main(int argc, char **argv)
{
	char c;
	pid_t pid = fork();
	printf("%d %d %d\n", hot_procedure(argc), pid, (int)getpid());
	fflush(stdout);
	if (pid)
		waitpid(pid, 0, 0);
	else
		(void)!read(0, &c, 1);
	return 0;
}
"""
LINE = re.compile(r"([0-9a-f]+) ([0-9a-f]+) (\S+)@(\S+) \[copy\]")


def content(pid):
    try:
        with open("/tmp/perf-%s.map" % pid) as f:
            return f.read()
    except FileNotFoundError:
        return ""


def await_like(child, parent):
    """A child's map is written when the supervisor comes to it, and in pieces."""
    deadline = time.monotonic() + 30
    while len(content(child)) < len(content(parent)) and time.monotonic() < deadline:
        time.sleep(0.01)


def names(pid):
    found = {}
    with open("/tmp/perf-%d.map" % pid) as f:
        for line in f:
            m = LINE.fullmatch(line.rstrip("\n"))
            check(m, "a line of the map reads START SIZE procedure@module [copy]: %r" % line)
            found.setdefault(m[3] + "@" + m[4], []).append((int(m[1], 16), int(m[2], 16)))
    return found


def mapped(pid):
    with open("/proc/%d/maps" % pid) as f:
        ranges = [line.split()[0].split("-") for line in f if "clearview-code" in line and "r-x" in line]
    return [(int(a, 16), int(b, 16)) for a, b in ranges]


def see(pid):
    found = names(pid)
    zones = mapped(pid)
    for name in ("hot_procedure@hot", "main@hot", "malloc@libc.so.6"):
        check(name in found, "%s is in the map of %d" % (name, pid))
    for places in found.values():
        for start, size in places:
            check(size and any(low <= start and start + size <= high for low, high in zones), "%#lx+%#lx is in a code zone" % (start, size))


with open(WORK + "/hot.c", "w") as f:
    f.write(PROGRAM)
subprocess.run(["gcc", "-O2", "-o", WORK + "/hot", WORK + "/hot.c"], check=True)
guest = subprocess.Popen([*clearview.prefix("--redirect=all", "--perf-map"), WORK + "/hot"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
lines = sorted((guest.stdout.readline().split() for _ in range(2)), key=lambda l: l[1] == "0")
(_, child, parent), (_, zero, child_again) = lines
check(zero == "0" and child == child_again and int(parent) == guest.pid, "the program forked: %r" % lines)
see(int(parent))
await_like(child, parent)
see(int(child))
guest.communicate("x")
check(guest.returncode == 0, "exit %d" % guest.returncode)
for pid in (parent, child):
    os.unlink("/tmp/perf-%s.map" % pid)
