#!/usr/bin/python3
"""What redirecting a module came to is used again: the next run writes it, and detach, a new supervisor and the perf map, which have to know all about it, find the same as
if it had been made here. Damaged files, and those of another layout, are as good as none.

modes: alone
time: 200
needs: perl openssl
"""
import os, re, subprocess, time

from lib import clearview, supervisor
from lib.clearview import check, command
from lib.text import text_differs

STATE = clearview.WORK + "/state"
SNAPSHOTS = STATE + "/snapshots"
COUNT = ["perl", "-e", "print qq(go\\n); $|=1; while (<STDIN>) { chomp; print join(q(,), sort map { $_ ** 2 } 1..$_), qq(\\n) }"]
ANSWER = "1,16,25,4,9\n"


def log():
    with open(STATE + "/supervisor.log", errors="replace") as f:
        return f.read()


def restored(text):
    return {m[0]: int(m[1]) for m in re.findall(r"(/\S+): (\d+) procedures from a snapshot", text)}


class Counting:
    def __init__(self, *options, redirect="--redirect=all"):
        self.before = len(log()) if os.path.exists(STATE + "/supervisor.log") else 0
        self.child = subprocess.Popen(clearview.prefix(redirect, "--debug", *options) + COUNT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        check(self.child.stdout.readline() == "go\n", "the program starts")
        self.works()

    def works(self):
        self.child.stdin.write("5\n")
        self.child.stdin.flush()
        check(self.child.stdout.readline() == ANSWER, "the program answers")

    def logged(self):
        return log()[self.before:]

    def end(self):
        self.child.stdin.close()
        check(self.child.wait(30) == 0, "the program ends: %s" % self.child.returncode)
        check("stays as its snapshot made it" not in self.logged(), "what is in snapshots is known again")


def files():
    return {n: os.stat(SNAPSHOTS + "/" + n).st_mtime_ns for n in os.listdir(SNAPSHOTS)} if os.path.exists(SNAPSHOTS) else {}


def used_again(redirect):
    """Returns which modules come from a snapshot."""
    before = files()
    first = Counting(redirect=redirect)
    first.end()
    check(not restored(first.logged()) and len(files()) - len(before) >= 3, "%s: the first run leaves snapshots: %s" % (redirect, files()))
    kept = files()
    second = Counting(redirect=redirect)
    made = restored(second.logged())
    check(any("perl" in m for m in made) and any("libc.so" in m for m in made) and min(made.values()) > 10, "%s: the second one uses them: %s" % (redirect, made))
    perl = second.child.pid
    done = command("detach", str(perl))
    check(done.returncode == 0, "%s: detach: exit %d: %s" % (redirect, done.returncode, done.stderr))
    check(not text_differs(perl), "%s: behind detach, the text is that of the files: %s" % (redirect, text_differs(perl)))
    second.works()
    second.end()
    check(files() == kept, "%s: nothing new is kept" % redirect)
    return made


made = [used_again(r) for r in ("--strict", "--redirect=direct", "--strict=shadow", "--strict=heap", "--redirect=all")][-1]

third = Counting()
old = supervisor.wait_one([third.child.pid])
supervisor.keeper(old)
supervisor.kill(old)
supervisor.wait_one([third.child.pid], (old,))
third.works()
done = command("detach", str(third.child.pid))
check(done.returncode == 0, "detach from the new supervisor: exit %d: %s" % (done.returncode, done.stderr))
check(not text_differs(third.child.pid), "behind it, the text is that of the files")
third.works()
third.end()

fourth = Counting("--perf-map")
with open("/tmp/perf-%d.map" % fourth.child.pid) as f:
    check(len(f.readlines()) > sum(restored(fourth.logged()).values()), "the perf map has what comes from snapshots")
fourth.end()
os.unlink("/tmp/perf-%d.map" % fourth.child.pid)

for damage in (lambda f: f.truncate(100), lambda f: (f.seek(5000), f.write(b"damage")), lambda f: f.truncate(os.fstat(f.fileno()).st_size // 2)):
    for name in files():
        with open(SNAPSHOTS + "/" + name, "r+b") as f:
            damage(f)
    run = Counting()
    run.end()
    check(not restored(run.logged()), "what is damaged isn't used: %s" % restored(run.logged()))
    again = Counting()
    again.end()
    check(restored(again.logged()).keys() == made.keys(), "it was made again")

# Large libraries lie at another distance from each other in each run: where there is no room, one more snapshot is made, and some run finds all it needs.
found = []
for _ in range(6):
    before = len(log())
    done = subprocess.run(clearview.prefix("--redirect=all", "--debug") + ["openssl", "version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(done.returncode == 0 and done.stdout.startswith("OpenSSL"), "openssl: %s" % done)
    found.append(any("libcrypto" in m for m in restored(log()[before:])))
check(any(found[1:]), "libcrypto comes from a snapshot: %s" % found)
