"""The two kinds of cases. A case's case.py makes one object of these; tests/cases/run presents its inputs.

present(path) gives an Outcome: whether the program outlived the input, and a few words. For a tool every input is a run of its own;
a server goes on from input to input and may be started anew by its supervisor in between."""
import os, signal, subprocess, time


class Outcome:
    def __init__(self, survived, words, answer=b""):
        self.survived, self.words, self.answer = survived, words, answer


def ending(code):
    return "exit %d" % code if code >= 0 else signal.Signals(-code).name


class Tool:
    """command(input, folder) -> argv; good(code, output) -> whether what came out counts as survival."""
    LEARN = "full"
    RESTART = "never"       # every run is one presentation

    def __init__(self, command, good, seconds=60.0):
        self.command, self.good, self.seconds = command, good, seconds

    def open(self, prefix, folder):
        self.prefix, self.folder = prefix, folder

    def close(self):
        pass

    def present(self, path):
        try:
            done = subprocess.run(self.prefix + self.command(path, self.folder), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=self.seconds)
        except subprocess.TimeoutExpired:
            return Outcome(False, "no end within %g s" % self.seconds)
        words = "%s, %d lines" % (ending(done.returncode), done.stdout.count(b"\n"))
        return Outcome(self.good(done.returncode, done.stdout), words, done.stdout)


class Service:
    """start(prefix, folder) -> Server; send(path) -> the last answer; probe() -> an answer to a harmless request, or None."""
    LEARN = "full"
    RESTART = "on-failure"
    RESTART_SECONDS = 90.0

    def __init__(self, start, send, probe, settle=0.3):
        self.start, self.send, self.probe, self.settle = start, send, probe, settle

    def open(self, prefix, folder):
        self.server = self.start(prefix, folder)
        if not self.server.wait_ready():
            raise RuntimeError("the server did not start: " + self.server.log_tail())

    def close(self):
        self.server.stop()

    def outlived(self, before):
        """Still the same process after the settling time (a crash need not be visible at once), and it answers."""
        time.sleep(self.settle)
        return self.server.incarnation() == before and self.probe() is not None and self.server.incarnation() == before

    def present(self, path):
        before = self.server.incarnation()
        answer = self.send(path) or b""
        if self.outlived(before):
            return Outcome(True, "goes on, answer %r" % answer[-60:], answer)
        if self.server.ended():
            return Outcome(False, "server ended: " + ending(self.server.child.returncode))
        if not self.server.wait_ready(self.RESTART_SECONDS):
            return Outcome(False, "server is not serving again: " + self.server.log_tail())
        return Outcome(False, "died, was started again")
