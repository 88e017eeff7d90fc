#!/usr/bin/python3
"""The commands on a prepared state folder: what they list, change, carry and report, readably and as JSON.

modes: alone
needs: objdump
time: 60
"""
import json, os, subprocess

from lib import clearview
from lib.clearview import check, command, row, rows

STATE, OTHER = clearview.WORK + "/state", clearview.WORK + "/other"
ELF = "/usr/bin/env"


GUEST = subprocess.Popen(["/bin/sleep", "1000"])


def prepare():
    subprocess.run([os.path.join(os.environ["BUILD"], "tests/unit/make_state"), STATE, ELF, str(GUEST.pid)], check=True)


def text(*words, state=STATE):
    done = command(*words, state=state)
    check(done.returncode == 0 and not done.stderr, "%s: exit %d, %s" % (" ".join(words), done.returncode, done.stderr))
    return done.stdout


def refused(*words, said="", state=STATE):
    done = command(*words, state=state)
    check(done.returncode == 125 and done.stderr.count("\n") == 1 and said in done.stderr and not done.stdout,
          "%s is refused in one line with \"%s\": exit %d, %r" % (" ".join(words), said, done.returncode, done.stderr))


def columns(listing):
    """A table's cells by heading; columns are two spaces apart."""
    lines = [[c.strip() for c in line.split("  ") if c.strip()] for line in listing.splitlines()]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


def patch_states():
    return {p["id"]: p["state"] for p in rows("patches")}


def listings():
    failures = columns(text("failures"))
    check([f["STATE"] for f in failures] == ["patched", "detected"], "failures: %r" % failures)
    check(failures[0]["MONITOR"] == "crash (SIGSEGV)" and failures[0]["WHERE"].startswith("env+0x"), "failures: %r" % failures)
    check([f["patch"] for f in rows("failures")] == [3, None], "the patch in force is told")
    check([p["ID"] for p in columns(text("patches"))] == ["3", "1", "2"], "patches are in ranking order")
    check([p["score"] for p in rows("patches")] == [5, 1, -1], "scores are (s - f) + b")
    guests = rows("ps")
    check(len(guests) == 1 and guests[0]["pid"] == GUEST.pid and guests[0]["supervisor"] is None, "ps: %r" % guests)
    check("a detail" in text("ps", "-v") and "a detail" not in text("ps"), "ps -v says more")
    check(len(text("events").splitlines()) == 4 and [e.get("patch") for e in rows("events")] == [None, 2, 3, None], "events")


def invariants():
    check(len(rows("invariants")) == 2, "invariants: all")
    first = rows("invariants", "--module", "env")[0]
    check(first["text"] == "eax in {0, 1}" and first["values"] == [0, 1], "invariants: %r" % first)
    check(len(rows("invariants", "--module", ELF, "--at", first["a"]["at"]["offset"])) == 1, "invariants at one offset")
    check(len(rows("invariants", "--at", "0x1")) == 0 and text("invariants", "--at", "0x1") == "no invariants learned\n", "invariants: none")
    refused("invariants", "--module", "libnothing.so", said="no module")
    refused("invariants", "--at", "nowhere", said="must be a number")


def report():
    whole = row("report", "1")
    point = [line for line in whole["code"] if line["point"]]
    check(len(point) == 1 and point[0]["offset"] == whole["at"]["offset"], "the report's code holds the point: %r" % whole["code"])
    check([c["correlation"] for c in whole["checks"]] == ["highly", "not"], "checks, most correlated first")
    check(len(whole["last_failure"]["stack"]) == 3 and len(whole["occurrences"]) == 3 and len(whole["events"]) == 3, "the report is whole")
    readable = text("report", "1")
    for words in ("=> ", point[0]["text"], "#0", "<= the failure", "eax in {0, 1}", "2 of 2", "kept", "survived", "patch 3 kept", ELF):
        check(words in readable, "the report holds %r" % words)
    objdump = subprocess.run(["objdump", "-d", "-M", "intel", "--start-address=" + point[0]["offset"], ELF], stdout=subprocess.PIPE, text=True).stdout
    first = [line.split("\t")[1].split() for line in objdump.splitlines() if line.count("\t") == 2][0]
    check(point[0]["bytes"].split() == first, "objdump sees the same bytes: %r, %r" % (point[0], first))


def orphans():
    """A change that cannot reach a running process is no success; it is stored nevertheless."""
    done = command("patches", "disable", "1")
    check(done.returncode == 125 and "clearview adopt" in done.stderr, "an orphan is told: %d, %r" % (done.returncode, done.stderr))
    check(patch_states()[1] == "disabled", "the change is stored")
    GUEST.kill()
    GUEST.wait()
    check(rows("ps") == [] and text("ps") == "no guarded processes\n", "a process that ended is no guest")


def changes():
    check("disabled" in text("patches", "disable", "3") and patch_states()[3] == "disabled", "disable")
    check("already" in text("patches", "disable", "3"), "disable again")
    check(row("patches", "enable", "3")["changes"][0]["change"] == "enabled" and patch_states()[3] in ("tried", "kept"), "enable")
    text("patches", "pin", "1")
    check([p["id"] for p in rows("patches") if p.get("pinned")] == [1], "pin")
    check(sum(s in ("tried", "kept") for s in patch_states().values()) == 1, "one patch of a failure is in force")
    before = patch_states()
    refused("patches", "disable", "1", "99", said="there is no patch 99")
    check(patch_states() == before, "all of the ids or none")
    text("patches", "remove", "2")
    check(sorted(patch_states()) == [1, 3], "remove")
    check("by the operator" in text("events"), "changes are events")


def carry():
    document = text("patches", "export", "1")
    path = os.path.join(clearview.WORK, "patch.json")
    with open(path, "w") as f:
        f.write(document)
    text("patches", "import", path, state=OTHER)
    there = rows("patches", state=OTHER)
    check(len(there) == 1 and there[0]["state"] in ("tried", "kept") and there[0]["pinned"] and "successes" not in there[0], "imported: %r" % there)
    check("already" in text("patches", "import", path, state=OTHER) and len(rows("patches", state=OTHER)) == 1, "imported once")
    check(json.loads(text("patches", "export", "1", state=OTHER))["patch"]["at"] == json.loads(document)["patch"]["at"], "and exported again")
    with open(path, "w") as f:
        f.write(document.replace('"skip"', '"run"'))
    refused("patches", "import", path, said="patch.action", state=OTHER)
    check(len(rows("patches", state=OTHER)) == 1, "a malformed file changes nothing")
    refused("patches", "import", clearview.WORK + "/missing", said="No such file")


def following():
    follower = subprocess.Popen([clearview.PATH, "events", "-f", "--json", "--state", STATE], stdout=subprocess.PIPE, text=True)
    seen = [json.loads(follower.stdout.readline()) for _ in rows("events")]
    text("patches", "unpin", "1")
    new = json.loads(follower.stdout.readline())
    follower.terminate()
    follower.wait()
    check(new["id"] > seen[-1]["id"] and "unpinned" in new["text"], "events -f goes on: %r" % new)


def mistakes():
    refused("repotr", "1", said="did you mean \"report\"")
    refused("patches", "frobnicate", said="clearview help patches")
    refused("failures", "9", said="clearview failures")
    refused("ps", state=clearview.WORK + "/nothing", said="clearview run")
    check(not os.path.exists(clearview.WORK + "/nothing"), "looking makes nothing")
    helped = subprocess.run([clearview.PATH, "help"], stdout=subprocess.PIPE, text=True).stdout
    for name in ("run", "ps", "failures", "patches", "invariants", "events", "report"):
        check("\n  %s " % name in helped, "help lists " + name)
        one = subprocess.run([clearview.PATH, "help", name], stdout=subprocess.PIPE, text=True)
        check(one.returncode == 0 and one.stdout.startswith("usage: clearview " + name), "help " + name)


try:
    prepare()
    for part in (listings, invariants, report, orphans, changes, carry, following, mistakes):
        part()
finally:
    GUEST.kill()
