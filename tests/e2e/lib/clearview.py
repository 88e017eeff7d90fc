"""Use the clearview command from a test. The harness gives $CLEARVIEW, $WRAP (the mode's prefix, empty natively), $MODE and a work folder in $TMPDIR."""
import json, os, shlex, subprocess, sys

PATH = os.environ.get("CLEARVIEW", "")
WORK = os.environ.get("TMPDIR", "/tmp")
SKIP = 77


def prefix(*options, state=None):
    """`clearview run` with a state folder of this test's own, and options."""
    return [PATH, "run", "--state", state or WORK + "/state", *options, "--"]


def mode_prefix():
    return shlex.split(os.environ.get("WRAP", ""))


def command(*words, state=None, seconds=60):
    """clearview WORDS --state ...: the finished process, its output as text."""
    return subprocess.run([PATH, *words, "--state", state or WORK + "/state"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds)


def answer(*words, state=None):
    """What a command says with --json, as it says it."""
    done = command(*words, "--json", state=state)
    check(done.returncode == 0, "clearview %s: exit %d: %s" % (" ".join(words), done.returncode, done.stderr))
    return done.stdout.strip()


def rows(*words, state=None):
    """Of a command that prints one array, or one object a line."""
    text = answer(*words, state=state)
    return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]


def row(*words, state=None):
    """Of a command that prints one object."""
    return json.loads(answer(*words, state=state))


def check(condition, words):
    if not condition:
        print("not so: " + words)
        sys.exit(1)


def skip(words):
    print(words)
    sys.exit(SKIP)
