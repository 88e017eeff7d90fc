"""Run one command in a session of its own, bounded in time; on a time-out say where everything stood; leave no process behind. Time counts in proportion
to the processor there was: on a machine that has other work, everything takes longer.

Processes are found by their session and by a mark in their environment (those which left the session), and are ended by pid."""
import ctypes, os, shutil, signal, subprocess, time

MARK = "TEST_MARK"
PR_SET_CHILD_SUBREAPER = 36
SETTLE = 5.0        # seconds a run's remaining processes have to end by themselves
OUTPUT_LIMIT = 1 << 28
CROWDED = 6         # times as long at most on a crowded machine


def adopt_orphans():
    """Orphans of tests become our children, so that none is lost in the system."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stat_fields(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rpartition(")")[2].split()


def belonging(session, mark):
    """Live processes of the session, or with the mark in their environment."""
    found, wanted = [], ("%s=%s" % (MARK, mark)).encode()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        pid = int(entry)
        try:
            fields = stat_fields(pid)
            with open("/proc/%d/environ" % pid, "rb") as f:
                marked = wanted in f.read().split(b"\0")
        except (OSError, IndexError):
            continue
        if fields[0] not in "ZX" and (int(fields[3]) == session or marked):
            found.append(pid)
    return found


def describe(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return "%d (%s)" % (pid, f.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()[:120])
    except OSError:
        return str(pid)


def stacks(pids, log):
    """Where everything stands: gdb's backtraces if there is a gdb, else what /proc tells."""
    with open(log, "ab") as out:
        for pid in pids:
            out.write(("--- %s\n" % describe(pid)).encode())
            for name in ("wchan", "syscall", "status"):
                try:
                    with open("/proc/%d/%s" % (pid, name), "rb") as f:
                        out.write(name.encode() + b": " + f.read() + b"\n")
                except OSError:
                    pass
            out.flush()
            if shutil.which("gdb"):
                try:
                    subprocess.run(["gdb", "-p", str(pid), "-batch", "-nx", "-ex", "set debuginfod enabled off",
                                    "-ex", "thread apply all bt 30", "-ex", "x/6i $pc", "-ex", "info registers"],
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=20)
                except subprocess.TimeoutExpired:
                    out.write(b"gdb did not come back\n")


def end(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Result:
    def __init__(self, code, out, err, problem):
        self.code, self.out, self.err, self.problem = code, out, err, problem


def start(command, folder, environment, stdin, cwd):
    with open(folder + "/stdin", "wb") as f:
        f.write(stdin)
    return subprocess.Popen(command, cwd=cwd, env=environment, stdin=open(folder + "/stdin" if stdin else "/dev/null", "rb"),
                            stdout=open(folder + "/stdout", "wb"), stderr=open(folder + "/stderr", "wb"), start_new_session=True)


class Timer:
    """Counts seconds down, by the part of a processor that a thread gets. To be asked now and then."""
    def __init__(self, seconds):
        self.left, self.last = seconds, time.monotonic()
        self.end = self.last + CROWDED * seconds

    def over(self):
        now = time.monotonic()
        with open("/proc/loadavg") as f:
            running = int(f.read().split()[3].partition("/")[0])
        self.left -= (now - self.last) * min(1.0, len(os.sched_getaffinity(0)) / max(running, 1))
        self.last = now
        return self.left <= 0 or now > self.end


def wait(child, seconds):
    """False: it took longer."""
    timer = Timer(seconds)
    while True:
        try:
            child.wait(min(0.25, seconds))
            return True
        except subprocess.TimeoutExpired:
            if timer.over():
                return False


def drain(session, mark, seconds):
    """Wait for the session to become empty; what is left after `seconds`."""
    timer, pause = Timer(seconds), 0.002
    while True:
        left = belonging(session, mark)
        if not left or timer.over():
            return left
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def content(path):
    with open(path, "rb") as f:
        return f.read(OUTPUT_LIMIT)


def run(command, folder, environment, stdin=b"", seconds=30.0, mark="test", cwd=None):
    """What it reads and writes is kept in `folder`, where it also runs if there is no `cwd`."""
    environment = dict(environment, **{MARK: mark})
    problem = None
    try:
        child = start(command, folder, environment, stdin, cwd or folder)
    except OSError as e:
        return Result(None, b"", b"", "cannot start %s: %s" % (command[0], e))
    if not wait(child, seconds):
        problem = "timed out after %g s (stacks: %s/stacks)" % (seconds, folder)
        stacks(belonging(child.pid, mark), folder + "/stacks")
    left = belonging(child.pid, mark) if problem else drain(child.pid, mark, SETTLE)
    if left and not problem:
        problem = "left processes behind: " + ", ".join(map(describe, left))
    end(left)
    child.wait()
    return Result(child.returncode, content(folder + "/stdout"), content(folder + "/stderr"), problem)
