"""The two kinds of cases: servers that go on serving, and programs run once for each presentation. All waits are bounded."""
import ctypes, os, signal, socket, subprocess, time

PATIENCE = 15.0     # seconds for an answer that may have to wait for the watchdog
NATIVE_PATIENCE = 2.0


def adopt_orphans():
    """Workers whose parent died become ours, so that they can be waited for."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)     # PR_SET_CHILD_SUBREAPER


class Outcome:
    def __init__(self, survived, words):
        self.survived, self.words = survived, words


def ending(code):
    return "exit %d" % code if code >= 0 else signal.Signals(-code).name


def session_members(session, name):
    """(pid, start time) of the live processes of that name in the session."""
    found = set()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % entry) as f:
                text = f.read()
            fields = text.rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] not in "ZX" and text.partition("(")[2].rpartition(")")[0] == name[:15]:
                found.add((int(entry), int(fields[19])))
        except (OSError, IndexError):
            continue
    return found


class Server:
    """benign: (line, answer) pairs; bad: lines, each sent over a connection of its own."""
    options = []    # of clearview run, for this case

    def __init__(self, name, source, benign, bad, within, workers=0, waits=False):
        self.name, self.source, self.benign, self.bad, self.within, self.workers, self.waits = name, source, benign, bad, within, workers, waits

    def session(self, prefix, program, folder):
        return ServerSession(self, prefix, program, folder)


class ServerSession:
    def __init__(self, case, prefix, program, folder):
        self.case, self.prefix, self.program, self.folder = case, prefix, program, folder
        self.child = None
        self.patience = PATIENCE if prefix else NATIVE_PATIENCE

    def start(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        workers = [str(self.case.workers)] if self.case.workers else []
        self.child = subprocess.Popen([*self.prefix, self.program, str(self.port), *workers], cwd=self.folder, stdin=subprocess.DEVNULL,
                                      stdout=open(self.folder + "/log", "ab"), stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + 30
        while not self.serves():
            if time.monotonic() > deadline or self.child.poll() is not None:
                return False
            time.sleep(0.02)
        return True

    def ask(self, line):
        """The answer; None if there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=self.patience) as s:
                s.sendall(line + b"\n")
                return s.makefile("rb").readline().rstrip(b"\n") or None
        except OSError:
            return None

    def serves(self):
        return all(self.ask(line) == answer for line, answer in self.case.benign)

    def processes(self):
        return session_members(self.child.pid, self.case.name)

    def present(self):
        if not self.child and not self.start():
            return Outcome(False, "does not serve, " + self.stop())
        before = self.processes()
        answers = [self.ask(line) for line in self.case.bad]
        serves = self.serves()
        after = self.processes()
        if before == after and serves:
            return Outcome(True, "goes on, answered %r" % (answers[-1] or b"nothing")[-40:].decode("latin1"))
        if not self.case.workers or not serves:
            words = self.stop()
        else:
            words = "a worker died"
        if not self.prefix:
            self.stop()
        return Outcome(False, words)

    def stop(self):
        """How it ended: by itself, or by us."""
        if not self.child:
            return "not started"
        words = None
        if self.child.poll() is not None:
            words = ending(self.child.returncode)
        else:
            self.child.kill()  # the parent first: it would replace its workers
        code = self.child.wait()
        while members := self.processes():
            for pid, _ in members:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.child = None
        return words or ("hung" if code == -signal.SIGKILL else ending(code))

    def close(self):
        self.stop()


class Run:
    """One run is one presentation. stdin is fed; options: of clearview run, for this case; survived: every line of `expected` comes out and it ends by itself, not by a signal."""
    def __init__(self, name, source, stdin, expected, within, arguments=(), options=()):
        self.name, self.source, self.stdin, self.expected, self.within = name, source, stdin, expected, within
        self.arguments, self.options = arguments, list(options)

    def session(self, prefix, program, folder):
        return RunSession(self, prefix, program, folder)


class RunSession:
    def __init__(self, case, prefix, program, folder):
        self.case, self.prefix, self.program, self.folder = case, prefix, program, folder

    def present(self):
        child = subprocess.Popen([*self.prefix, self.program, *self.case.arguments], cwd=self.folder, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            out, _ = child.communicate(self.case.stdin, PATIENCE if self.prefix else NATIVE_PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return Outcome(False, "hung")
        missing = set(self.case.expected) - set(out.split(b"\n"))
        words = "%s, %d of %d lines" % (ending(child.returncode), len(self.case.expected) - len(missing), len(self.case.expected))
        return Outcome(child.returncode >= 0 and not missing, words)

    def close(self):
        pass
