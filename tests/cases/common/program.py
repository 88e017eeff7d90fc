"""A server under test, perhaps with a supervisor before it: started in a session of its own, watched, and ended by pid."""
import os, shutil, signal, subprocess, time


def session_members(session):
    """(pid, start time, name of the executable) of each live process of the session."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % entry) as f:
                fields = f.read().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] not in "ZX":
                found.append((int(entry), int(fields[19]), os.path.basename(os.readlink("/proc/%s/exe" % entry))))
        except (OSError, IndexError):
            continue
    return found


class Server:
    """argv[0] is the program; `prefix` what stands before it; `ready` a function that says whether it serves."""
    def __init__(self, argv, prefix, folder, ready):
        self.name, self.ready = os.path.basename(os.path.realpath(shutil.which(argv[0]) or argv[0])), ready
        self.log_path = os.path.join(folder, "server.log")
        self.child = subprocess.Popen(prefix + argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=open(self.log_path, "ab"),
                                      stderr=subprocess.STDOUT, start_new_session=True)

    def incarnation(self):
        """Which process serves now, or None: it changes when the program was started anew."""
        same = [(pid, start) for pid, start, name in session_members(self.child.pid) if name == self.name]
        return min(same, key=lambda p: p[1]) if same else None

    def ended(self):
        return self.child.poll() is not None

    def wait_ready(self, seconds=60.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.ended():
            if self.ready():
                return True
            time.sleep(0.05)
        return False

    def log_tail(self, size=400):
        with open(self.log_path, "rb") as f:
            return f.read()[-size:].decode("utf-8", "replace")

    def stop(self):
        """End it politely, then what is left of its session."""
        for number, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
            members = session_members(self.child.pid)
            for pid, _, name in members:
                # The program first: a supervisor ends when its program has ended.
                if name == self.name or number == signal.SIGKILL or not any(n == self.name for _, _, n in members):
                    try:
                        os.kill(pid, number)
                    except ProcessLookupError:
                        pass
            deadline = time.monotonic() + seconds
            while session_members(self.child.pid) and time.monotonic() < deadline:
                self.child.poll()
                time.sleep(0.02)
        self.child.wait()
