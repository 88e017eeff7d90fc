#!/usr/bin/python3
"""On a terminal: the program has it as stdin, stdout and stderr, is in the foreground, sees its size, and is ended by ^C as natively.

time: 60
"""
import fcntl, os, pty, select, signal, struct, termios, time

from lib import clearview
from lib.clearview import check

PROGRAM = r"""
import os, signal, sys, time
print("tty", *(os.isatty(i) for i in range(3)), os.ttyname(0) == os.ttyname(1))
print("foreground", os.tcgetpgrp(0) == os.getpgrp(), "size", *os.get_terminal_size())
print("asked:", input("name? "), flush=True)
signal.signal(signal.SIGWINCH, lambda *a: os.write(1, b"resized %d %d\n" % tuple(os.get_terminal_size())))
print("waiting", flush=True)
while True:
    time.sleep(10)
"""
SECONDS = 20.0


class Terminal:
    def __init__(self, argv):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execvp(argv[0], argv)
        self.resize(30, 100)
        self.seen = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def write(self, data):
        os.write(self.fd, data)

    def expect(self, text):
        deadline = time.monotonic() + SECONDS
        while text not in self.seen and time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.fd, 4096).decode("utf-8", "replace").replace("\r", "")
                except OSError:
                    break
        check(text in self.seen, "the terminal shows %r; it shows: %r" % (text, self.seen))


def size_is_set():
    """The size is there before the program starts."""
    return ["/bin/sh", "-c", 'while [ "$(stty size)" != "30 100" ]; do :; done; exec "$@"', "sh"]


terminal = Terminal(size_is_set() + clearview.mode_prefix() + ["/usr/bin/python3", "-I", "-c", PROGRAM])
terminal.expect("tty True True True True\n")
terminal.expect("foreground True size 100 30\n")
terminal.expect("name? ")
terminal.write(b"Ada\n")
terminal.expect("asked: Ada\n")
terminal.expect("waiting\n")
terminal.resize(40, 120)
terminal.expect("resized 120 40\n")
terminal.write(b"\x03")
terminal.expect("KeyboardInterrupt")
pid, status = os.waitpid(terminal.pid, 0)
check(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT, "^C ends it by SIGINT, not %x" % status)
