#!/usr/bin/python3
"""What ClearView cannot do: one line on stderr that begins with "clearview: ", a documented exit code, nothing left behind.

modes: alone
time: 120
"""
import glob, json, os, shutil, sqlite3, struct, subprocess

from lib import clearview
from lib.clearview import check

OWN, CANNOT_RUN, NOT_FOUND = 125, 126, 127
WORK, STATE = clearview.WORK, clearview.WORK + "/state"
NOBODY = 65534
EM_386, EM_X86_64, EM_AARCH64 = 3, 62, 183


def file(name, content=b"", mode=0o755):
    path = os.path.join(WORK, name)
    with open(path, "wb") as f:
        f.write(content)
    os.chmod(path, mode)
    return path


def elf(bits, machine):
    """An executable of one header and one empty loadable segment."""
    ident = b"\x7fELF" + bytes([1 if bits == 32 else 2, 1, 1]) + bytes(9)
    if bits == 32:
        return ident + struct.pack("<HHIIIIIHHHHHH", 2, machine, 1, 0x8048054, 52, 0, 0, 52, 32, 1, 0, 0, 0) + \
            struct.pack("<8I", 1, 0, 0x8048000, 0x8048000, 84, 84, 5, 4096)
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0) + \
        struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 120, 120, 4096)


def outcome(words, before=(), **options):
    done = subprocess.run([*before, clearview.PATH, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, **options)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


problems = []


def refused(name, code, words, **options):
    """The command must be refused with that code, in one line, without output."""
    got, out, err = outcome(words, **options)
    if got != code or out or err.count("\n") != 1 or not err.startswith("clearview: "):
        problems.append("%s: exit %d (should be %d), stdout %r, stderr %r" % (name, got, code, out[:200], err[:400]))


def refused_or_like(name, code, expected, words, **options):
    """Refused, or done as natively: both are right."""
    got = outcome(words, **options)
    if (got[0], got[1]) != expected:
        refused(name, code, words, **options)


def like(name, expected, words, **options):
    """Done as natively."""
    got = outcome(words, **options)
    if got != (*expected, ""):
        problems.append("%s: %r" % (name, got))


def run(*command, state=STATE):
    return ["run", "--state", state, "--", *command]


def programs():
    refused("missing program", NOT_FOUND, run("/missing/program"))
    refused("missing in PATH", NOT_FOUND, run("no-such-program-anywhere"))
    refused("not executable", CANNOT_RUN, run(file("plain", b"text", 0o644)))
    refused("a folder", CANNOT_RUN, run(WORK))
    refused("empty file", CANNOT_RUN, run(file("empty")))
    refused("neither ELF nor script", CANNOT_RUN, run(file("noise", b"neither one nor the other")))
    like("a script", (5, "ran\n"), run(file("script", b"#!/bin/sh\necho ran; exit 5\n")))
    like("a script with an argument", (0, "x=1 %s/options a b\n" % WORK), run(file("options", b"#! \t/bin/echo  x=1\n"), "a", "b"))
    like("a script of a script", (5, "ran\n"), run(file("outer", b"#!%s/script -\n" % WORK.encode())))
    like("a script by PATH", (0, "found\n"), run("by-path"), env=dict(os.environ, PATH=os.path.dirname(file("by-path", b"#!/bin/sh\necho found\n")) + ":/bin:/usr/bin"))
    refused("a script of itself", CANNOT_RUN, run(file("loop", b"#!%s/loop\n" % WORK.encode())))
    refused("a script for nothing", CANNOT_RUN, run(file("nameless", b"#! \n")))
    refused("a script of a 32-bit program", CANNOT_RUN, run(file("script32", b"#!%s\n" % file("elf32", elf(32, EM_386)).encode())))
    refused("a script without its interpreter", CANNOT_RUN, run(file("orphan", b"#!/missing/interpreter\n")))
    refused("cut ELF", CANNOT_RUN, run(file("cut", open("/bin/true", "rb").read()[:100])))
    refused("32-bit ELF", CANNOT_RUN, run(file("elf32", elf(32, EM_386))))
    refused("ARM ELF", CANNOT_RUN, run(file("arm", elf(64, EM_AARCH64))))
    if os.geteuid() == 0:
        setuid = shutil.copy("/bin/true", WORK + "/setuid")
        os.chown(setuid, NOBODY, NOBODY)
        os.chmod(setuid, 0o4755)
        refused("setuid program", CANNOT_RUN, run(setuid))


def options():
    refused("no command", OWN, [])
    refused("unknown command", OWN, ["rnu"])
    refused("nothing to run", OWN, ["run", "--state", STATE])
    refused("unknown option", OWN, ["run", "--state", STATE, "--no-such-option", "--", "/bin/true"])
    refused("learn beyond 100", OWN, ["run", "--state", STATE, "--learn=1000", "--", "/bin/true"])
    refused("learn without number", OWN, ["run", "--state", STATE, "--learn=much", "--", "/bin/true"])
    refused("unknown restart", OWN, ["run", "--state", STATE, "--restart=sometimes", "--", "/bin/true"])
    refused("unknown strict monitor", OWN, ["run", "--state", STATE, "--strict=shadow,some", "--", "/bin/true"])
    refused("empty strict monitor", OWN, ["run", "--state", STATE, "--strict=", "--", "/bin/true"])
    refused("unknown redirect", OWN, ["run", "--state", STATE, "--redirect=some", "--", "/bin/true"])


def database(state):
    for path in glob.glob(state + "/**", recursive=True):
        if os.path.isfile(path) and open(path, "rb").read(15) == b"SQLite format 3":
            return path
    check(False, "the state folder holds a SQLite file: %s" % os.listdir(state))


def used_state(name):
    """A state folder that a run has filled, and that its supervisor has finished with: commands wait for that."""
    state = os.path.join(WORK, name)
    code, out, err = outcome(run("/bin/echo", "fine", state=state))
    check((code, out, err) == (0, "fine\n", ""), "a good run is good: %r" % ((code, out, err),))
    code, out, err = outcome(["failures", "--state", state])
    check(code == 0, "its state can be read: %r" % ((code, out, err),))
    return state


def states():
    refused("state is a file", OWN, run("/bin/true", state=file("no-folder")))
    refused("state below a file", OWN, run("/bin/true", state=WORK + "/no-folder/state"))
    refused("no state yet", OWN, ["failures", "--state", WORK + "/never-made"])
    corrupt = used_state("corrupt")
    with open(database(corrupt), "r+b") as f:
        f.write(b"this is no database" * 100)
    newer = used_state("newer")
    with sqlite3.connect(database(newer)) as db:
        db.execute("pragma user_version = 1000000")
    db.close()
    for name, state in (("corrupt", corrupt), ("newer", newer)):
        refused(name + " state: run", OWN, run("/bin/true", state=state))
        refused(name + " state: failures", OWN, ["failures", "--state", state])
    if os.geteuid() == 0:
        private = used_state("private")
        refused("unreadable state", OWN, run("/bin/true", state=private), user=NOBODY)
        os.mkdir(WORK + "/full")
        full = ["unshare", "-m", "/bin/sh", "-c", 'mount -t tmpfs -o size=16k none "$0" && exec "$@"', WORK + "/full"]
        if subprocess.run([*full, "/bin/true"], stderr=subprocess.DEVNULL).returncode == 0:
            refused("full disk", OWN, run("/bin/true", state=WORK + "/full/state"), before=full)
    with open("/dev/full", "w") as full:
        done = subprocess.run([clearview.PATH, "help"], stdout=full, stderr=subprocess.PIPE)
        check(done.returncode == OWN and done.stderr.count(b"\n") == 1, "full standard output: %d %r" % (done.returncode, done.stderr))


def ids_and_patches():
    state = used_state("ids")
    for words in (["failures", "999"], ["patches", "999"], ["patches", "disable", "999"], ["patches", "remove", "999"], ["report", "999"],
                  ["failures", "x"], ["patches", "enable"], ["report"], ["report", "-1"], ["invariants", "--at", "nowhere"]):
        refused(" ".join(words), OWN, words + ["--state", state])
    good = {"module": "ab" * 20, "offset": "0x1000"}
    patch = {"at": good, "guard": "fault", "action": "return", "depth": 1}
    whole = {"format": "clearview-patch", "version": 1, "monitor": "crash", "location": good, "patch": patch}
    documents = {
        "empty": "", "noise": "{", "array": "[]", "null": "null", "binary": "\0\1\2", "deep": "[" * 100000,
        "format": json.dumps(dict(whole, format="other")), "version": json.dumps(dict(whole, version=2)), "monitor": json.dumps(dict(whole, monitor="moon")),
        "extra": json.dumps(dict(whole, extra=1)), "no patch": json.dumps({k: v for k, v in whole.items() if k != "patch"}),
        "action": json.dumps(dict(whole, patch=dict(patch, action="run-shell"))), "depth": json.dumps(dict(whole, patch=dict(patch, depth=0))),
        "offset": json.dumps(dict(whole, location=dict(good, offset="-1"))), "module": json.dumps(dict(whole, location=dict(good, module="../../x"))),
        "set without invariant": json.dumps(dict(whole, patch=dict(patch, action="set", value=1))),
        "id": json.dumps(dict(whole, patch=dict(patch, id=5))), "long": " " * (2 << 20) + json.dumps(whole),
    }
    for name, text in documents.items():
        refused("patch: " + name, OWN, ["patches", "import", file("patch.json", text.encode(), 0o644), "--state", state])
    refused("missing patch file", OWN, ["patches", "import", WORK + "/none.json", "--state", state])
    code, out, err = outcome(["patches", "import", file("good.json", json.dumps(whole).encode()), "--state", state])
    check(code == 0 and not err, "a good patch is taken: %d %r" % (code, err))


def forbidden():
    """Without ptrace, or without other processes' memory: refused, or done all the same."""
    deny = WORK + "/deny"
    subprocess.run(["gcc", "-O2", "-w", "-o", deny, os.path.join(os.path.dirname(os.path.abspath(__file__)), "deny.c")], check=True)
    for what in ("ptrace", "memory"):
        refused_or_like(what + " forbidden", OWN, (0, "fine\n"), run("/bin/echo", "fine"), before=[deny, what])


for part in (programs, options, states, ids_and_patches, forbidden):
    part()
check(not problems, "\n    ".join(["what is refused is refused well"] + problems))
