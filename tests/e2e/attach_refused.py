#!/usr/bin/python3
"""What can't be attached to is told, with the right exit code, and goes on as before.

modes: alone
time: 120
"""
import ctypes, os, signal, subprocess, time

from lib import clearview
from lib.clearview import check, command

CANNOT, NOT_FOUND, PTRACE_ATTACH, PTRACE_DETACH = 126, 127, 16, 17
libc = ctypes.CDLL(None, use_errno=True)


def refused(pid, code, words, verb="attach"):
    done = command(verb, str(pid))
    check(done.returncode == code, "%s %d gives exit %d, not %d: %s" % (verb, pid, code, done.returncode, done.stderr))
    check(words in done.stderr, "%s %d says \"%s\": %s" % (verb, pid, words, done.stderr))
    check("\n" not in done.stderr.strip(), "it is one line: " + done.stderr)


sleeping = subprocess.Popen(["/bin/sleep", "60"])
while os.readlink("/proc/%d/exe" % sleeping.pid) == os.readlink("/proc/self/exe"):
    time.sleep(0.01)
command("ps")

refused(4194303, NOT_FOUND, "no such process")
with open("/proc/%d/task/%d/stat" % (os.getpid(), os.getpid())) as f:
    check(f.read(), "there is a /proc")
kernel = [p for p in os.listdir("/proc") if p.isdigit() and os.path.exists("/proc/%s/status" % p) and "VmSize" not in open("/proc/%s/status" % p).read()
          and "State:\tZ" not in open("/proc/%s/status" % p).read()]
if kernel:
    refused(int(kernel[0]), CANNOT, "kernel")

ended = os.fork()
if not ended:
    os._exit(0)
while "State:\tZ" not in open("/proc/%d/status" % ended).read():
    time.sleep(0.01)
refused(ended, CANNOT, "zombie")
os.waitpid(ended, 0)

check(libc.ptrace(PTRACE_ATTACH, sleeping.pid, None, None) == 0, "this test may trace")
os.waitpid(sleeping.pid, 0)
refused(sleeping.pid, CANNOT, "being traced by")
libc.ptrace(PTRACE_DETACH, sleeping.pid, None, None)

done = command("attach", str(sleeping.pid))
check(done.returncode == 0 and "longest stop" in done.stdout, "attach: " + done.stderr)
refused(sleeping.pid, CANNOT, "guarded already")
done = command("detach", str(sleeping.pid))
check(done.returncode == 0 and "longest stop" in done.stdout, "detach: " + done.stderr)
refused(sleeping.pid, CANNOT, "isn't guarded", "detach")
if os.geteuid() == 0:
    done = subprocess.run(["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", clearview.PATH, "attach", "--state", "/tmp/none", str(sleeping.pid)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(done.returncode == CANNOT and "another user" in done.stderr, "another user's process: %d: %s" % (done.returncode, done.stderr))
check(sleeping.poll() is None, "it sleeps on")
sleeping.send_signal(signal.SIGTERM)
check(sleeping.wait(10) == -signal.SIGTERM, "and ends as it would have")
