"""What a test says about itself, in the comment at the top of its file.

    build: -O2 -static         one way to compile it; each such line is one more variant (default: -O2)
    part:  lib.c lib.so -O2 -shared -fPIC     a file it needs beside it, compiled from tests/behave/parts
    run:   ARGS => exit 0      arguments, and how it must end natively: "exit N" or a signal's name (default: => exit 0)
    stdin: TEXT                what it reads (C escapes); otherwise /dev/null
    needs: g++ nginx           programs; without them the test is skipped
    packages: ruby   Debian packages beyond those of scripts/deps: it runs only with tests/run --programs (make programs)
    modes: guard redirect      only these modes, each with the native run before it; "alone": once, with $CLEARVIEW set; "-shadow": all but this
    also:  flip                modes beside the usual ones
    time:  120                 seconds for one run (default: see tests/run)
    token: none                do not ask for a last line "ok"
"""
import os, re, shlex, signal

LINE = re.compile(r"^\W*(build|part|run|stdin|needs|packages|modes|also|time|token):\s*(.*?)\s*$")
REPEATED = ("build", "part", "run")
C_HEADER, SHELL_HEADER, PYTHON_HEADER = r"/\*.*?\*/", r"\A(?:#.*\n)+", r'""".*?"""'
HEADERS = {".c": C_HEADER, ".cc": C_HEADER, ".sh": SHELL_HEADER, ".py": PYTHON_HEADER}


def read(path):
    found = {"build": [], "part": [], "run": []}
    with open(path, encoding="utf-8") as f:
        header = re.search(HEADERS[os.path.splitext(path)[1]], f.read(), re.S)
    for m in filter(None, map(LINE.match, header[0].splitlines() if header else [])):
        if m[1] in REPEATED:
            found[m[1]].append(m[2])
        else:
            found[m[1]] = m[2]
    return found


def ending(text):
    """"exit 7" -> 7, "SIGSEGV" -> -11, as subprocess writes return codes."""
    if text.startswith("exit "):
        return int(text[5:])
    if text.startswith("SIGRTMIN"):
        return -(signal.SIGRTMIN + int(text[8:] or 0))
    return -signal.Signals[text].value


class Run:
    """One command line of a test."""
    def __init__(self, text):
        args, _, end = text.partition("=>")
        self.args, self.code = shlex.split(args), ending(end.strip() or "exit 0")
        self.name = "-".join(self.args)


class Test:
    """One file; `kind` is the folder: behave, programs, servers or e2e."""
    def __init__(self, kind, path):
        d = read(path)
        self.kind, self.path = kind, path
        self.name = kind + "/" + os.path.splitext(os.path.basename(path))[0]
        self.builds = d["build"] or ["-O2"]
        self.parts = [shlex.split(p) for p in d["part"]]
        self.runs = [Run(r) for r in d["run"] or [""]]
        self.stdin = d.get("stdin", "").encode().decode("unicode_escape").encode("latin1")
        self.needs = d.get("needs", "").split()
        self.packages = d.get("packages", "").split()
        self.modes = d.get("modes", "").split()
        self.also = d.get("also", "").split()
        self.time = float(d.get("time", 0))
        self.token = d.get("token", "ok")
