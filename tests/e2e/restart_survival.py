#!/usr/bin/python3
"""Under a restart policy an end of the program after a patch acted is no success of the patch: the next one gets its chance. An end that somebody
asked for (SIGTERM) says nothing against it. Without a policy, to end normally is to survive.

modes: alone
time: 120
needs: gcc
"""
import os, signal, subprocess

from lib import clearview
from lib.clearview import check

PROGRAM = clearview.WORK + "/restart_survival"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "restart_survival.c")


class Server:
    def __init__(self, policy, how):
        self.state = "%s/%s.%s" % (clearview.WORK, how, policy)
        self.child = subprocess.Popen(clearview.prefix("--restart=" + policy, state=self.state) + [PROGRAM, how], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, bufsize=0)
        self.expect("started")

    def expect(self, line):
        got = self.child.stdout.readline().decode().strip()
        check(got == line, "%s: %r instead of %r" % (self.state, got, line))

    def present(self, answer):
        self.child.stdin.write(b"x")
        self.expect(answer)

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        check(self.child.wait(30) == -signal.SIGTERM, "%s: ended by SIGTERM" % self.state)

    def patch(self, action):
        """The one that has acted, of those with that action."""
        acted = [p for p in clearview.rows("patches", state=self.state) if p["action"] == action and p.get("activations")]
        check(len(acted) == 1, "%s: one patch that has acted is to %s: %r" % (self.state, action, acted))
        return acted[0].get("successes", 0), acted[0].get("failures", 0)


def led_to_its_end(policy):
    server = Server(policy, "outer")
    server.present("started")       # died, was started again
    server.present("started")       # returned from the procedure that serves
    check(server.patch("return") == (0, 1), "%s: the return has failed: %r" % (policy, server.patch("return")))
    server.present("x")             # the next repair
    server.end()


def told_to_end():
    server = Server("always", "inner")
    server.present("started")
    server.present("x")
    server.end()
    check(server.patch("return") == (1, 0), "a server that was told to end has survived: %r" % (server.patch("return"),))


def ended_normally():
    for expected in (-signal.SIGSEGV, 3):
        server = Server("never", "outer")
        server.child.stdin.write(b"x")
        check(server.child.wait(30) == expected, "never: %r" % server.child.returncode)
    check(server.patch("return") == (1, 0), "a program that ended normally has survived: %r" % (server.patch("return"),))


def main():
    subprocess.run(["gcc", "-O1", "-w", "-o", PROGRAM, SOURCE], check=True)
    for policy in ("on-failure", "always"):
        led_to_its_end(policy)
    told_to_end()
    ended_normally()


main()
