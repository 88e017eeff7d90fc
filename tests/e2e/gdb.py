#!/usr/bin/python3
"""gdb attaches to a guest: breakpoints are hit, arguments, backtraces and results are the program's own, stepping goes on; and the program when gdb has left.

Not where probes stand in tight places: gdb stops at a landing's trap (CONTRIBUTING.md says what to do then).

needs: gdb gcc
modes: native guard redirect direct
time: 90
"""
import re, subprocess

from lib import clearview
from lib.clearview import WORK, check

PROGRAM = r"""
#include <stdio.h>
#include <time.h>
volatile int going = 1;
__attribute__((noinline)) int inner(int n) { int r = n * 3; __asm__ volatile("" : "+r"(r)); return r + 1; }
__attribute__((noinline)) int outer(int n) { int r = inner(n) + 1; __asm__ volatile("" : "+r"(r)); return r; }
int main(void)
{
	int n = 1;
	puts("ready");
	fflush(stdout);
	while (going) {
		n = (outer(n) & 0xff) | 1;
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	puts("ended");
	return 0;
}
"""
COMMANDS = ["break inner", "continue", "print n", "backtrace 3", "finish", "continue", "stepi", "stepi", "tbreak outer if n > 0", "continue",
            "clear inner", "info symbol $pc", "next", "print going = 0"]

with open(WORK + "/stepped.c", "w") as f:
    f.write(PROGRAM)
subprocess.run(["gcc", "-g", "-O1", "-o", WORK + "/stepped", WORK + "/stepped.c"], check=True)
guest = subprocess.Popen([*clearview.mode_prefix(), WORK + "/stepped"], stdout=subprocess.PIPE, text=True)
check(guest.stdout.readline() == "ready\n", "the program started")
words = [w for c in COMMANDS for w in ("-ex", c)]
done = subprocess.run(["gdb", "-nx", "-batch", "-p", str(guest.pid), "-ex", "set debuginfod enabled off", "-ex", "set pagination off", *words],
                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
said = done.stdout
check(len(re.findall(r"Breakpoint 1, inner \(n=", said)) == 2, "the breakpoint is hit twice: " + said)
value, result = re.search(r"\$1 = (\d+)", said), re.search(r"Value returned is \$\d+ = (\d+)", said)
check(value and result and int(result[1]) == 3 * int(value[1]) + 1, "what inner returns is 3 times what it was given, and 1: " + said)
check(re.search(r"#0  inner .*\n#1 .* in outer .*\n#2 .* in main ", said), "the backtrace leads to main: " + said)
check("Temporary breakpoint 2, outer (n=" in said and "outer in section .text" in said, "the conditional breakpoint is hit: " + said)
check("SIGSEGV" not in said and "received signal" not in said, "no signal came: " + said)
check(guest.communicate(timeout=30)[0] == "ended\n" and guest.returncode == 0, "the program goes on when gdb has left, exit %d: %s" % (guest.returncode, said))
