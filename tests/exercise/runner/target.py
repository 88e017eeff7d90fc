"""Start the target under a command prefix, watch it, and start it again when it has died.

The prefix may be anything that runs the command that follows it: nothing, valgrind, an engine that
restarts the program by itself. The target is known to be the same as before by the processes it
names in /status; nothing else is assumed.
"""
import os
import pathlib
import random
import resource
import select
import shlex
import signal
import socket
import subprocess
import threading
import time

from .client import Client, Lost
from .watch import Watch

HERE = pathlib.Path(__file__).resolve().parent.parent
CONFIGURATIONS = {"single": [], "workers": ["--workers", "2"], "threads": ["--threads", "4"]}


def unused_port():
    """A free loopback port the system doesn't give to clients: one of theirs could take it while the
    target is down (even by connecting to itself)."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(min(10000, low - 1000), low), 100) + [0]:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise RuntimeError("no unused port")


class Target:
    def __init__(self, build, under="", configuration="single", log=None, start_timeout=120.0, options=()):
        self.build = build
        self.command = shlex.split(under) + [str(HERE / "build" / build / "gazette"), "--root",
                                             str(HERE / "traffic" / "stored"),
                                             *CONFIGURATIONS[configuration], *options]
        self.log = open(log, "ab") if log else subprocess.DEVNULL
        self.start_timeout = start_timeout
        self.process, self.port, self.starts, self.deaths = None, 0, 0, []
        self.up = threading.Condition()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if self.log is not subprocess.DEVNULL:
            self.log.close()

    def start(self):
        """Start on an unused port, always the same one, as a service is."""
        self.port = self.port or unused_port()
        command = self.command + ["--port", str(self.port)]
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log,
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        self._wait_announcement()
        with self.up:
            self.starts += 1
            self.up.notify_all()

    def _wait_announcement(self):
        text, deadline = b"", time.monotonic() + self.start_timeout
        out = self.process.stdout
        while b"serving on port " not in text or not text.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([out], [], [], left)[0]:
                self.stop()
                raise RuntimeError("the target doesn't start: " + shlex.join(self.command))
            part = os.read(out.fileno(), 4096)
            if not part:
                self.stop()
                raise RuntimeError("the target ends at once: " + shlex.join(self.command))
            text += part

    def stop(self):
        """End the processes started here: they are the process group of the command."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def terminate(self, seconds=60.0):
        """Ask the command to end, so that its prefix can save what it has learned; then make sure."""
        self.process.terminate()
        self.wait_exit(seconds)
        self.stop()

    def wait_exit(self, seconds):
        """Whether the command ends within this time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait_start(self, starts, seconds):
        """Wait until the command has been started more than so many times, at most for so long."""
        with self.up:
            self.up.wait_for(lambda: self.starts > starts, seconds)

    def settle(self, seconds=60.0):
        """After an attack: wait until the target either answers or has ended.

        Returns its identity, or None if it has ended or doesn't answer any more. A target that is
        restarted by its prefix announces itself again, which is what is waited for.
        """
        deadline = time.monotonic() + seconds
        ended = os.pidfd_open(self.process.pid)
        try:
            while self.process.poll() is None and time.monotonic() < deadline:
                try:
                    return self.identity(timeout=max(deadline - time.monotonic(), 1.0))
                except Lost:
                    if ended in select.select([ended, self.process.stdout], [], [], 1.0)[0]:
                        break
                    self._drain()
        finally:
            os.close(ended)
        return None

    def watch(self):
        """A Watch over the processes that serve now; starts the target if none does."""
        for _ in range(500):
            identity = self.settle()
            if identity is None:
                self.revive()
                continue
            watch = Watch(identity)
            if not watch.ended():
                return watch
            watch.close()             # the parent has yet to notice: ask again
            self.up.acquire()
            self.up.wait(0.01)
            self.up.release()
        raise RuntimeError("the target's processes come and go")

    def _drain(self):
        if select.select([self.process.stdout], [], [], 0)[0]:
            os.read(self.process.stdout.fileno(), 4096)

    def revive(self):
        """As an init would: start the command again. Returns how it had ended."""
        ending = describe(self.process.poll())
        self.stop()
        self.deaths.append(ending)
        self.start()
        return ending

    def identity(self, timeout=20.0):
        """Which processes serve now; raises Lost if none answers."""
        with Client(self.port, timeout) as client:
            return parse_identity(client.request("GET", "/status").body)


def parse_identity(status):
    """The pids of a parent's workers, or of the one process there is."""
    lines = [line.split() for line in status.decode().splitlines()]
    workers = tuple(int(words[1]) for words in lines if words[0] == "worker")
    return workers or tuple(int(words[1]) for words in lines if words[0] == "pid")


def describe(code):
    if code is None:
        return "no answer"
    if code < 0:
        return signal.Signals(-code).name
    if code > 128 and code - 128 in signal.Signals._value2member_map_:
        return signal.Signals(code - 128).name
    return f"exit {code}"
