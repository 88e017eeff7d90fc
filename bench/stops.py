#!/usr/bin/python3
"""bench/stops.py [--build DIR] [-n TIMES]: the longest delay of any thread of a busy program while a patch goes in or out of a procedure that it calls all the
time: median and 95th percentile of the changes. Waiting for a processor isn't counted. `undisturbed` is the same process in as long intervals without a change:
what the machine itself does to threads."""
import argparse, json, os, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE + "/../tests/e2e")
sys.dont_write_bytecode = True
from lib import patches

PROCEDURE, THREADS = "stalls_serve", (1, 2, 8)
OPTIONS = {"default guard": [], "firewall": ["--strict=firewall"], "strict": ["--strict"]}


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", default=HERE + "/../build")
    p.add_argument("-n", type=int, default=100, help="how many times in and out (100)")
    return p.parse_args()


def ask(program):
    """Longest delay since it was asked last (ms), requests so far."""
    program.stdin.write("\n")
    program.stdin.flush()
    longest, requests = program.stdout.readline().split()
    return float(longest) / 1000, int(requests)


def wait_requests(program, more):
    done = ask(program)[1] + more
    while ask(program)[1] < done:
        time.sleep(0.01)


def measure(clearview, binary, options, threads, times, work):
    state = tempfile.mkdtemp(dir=work)
    with open(state + "/log", "w") as log:
        program = subprocess.Popen([clearview, "run", "--state", state, *options, "--", binary, str(threads)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=log, text=True)

    def change(verb, what):
        subprocess.run([clearview, "patches", verb, what, "--state", state], check=True, stdout=subprocess.DEVNULL)

    try:
        wait_requests(program, 1000)
        change("import", patches.write(state + "/patch.json", patches.document("rax", patches.HIGHEST, binary, PROCEDURE)))
        listed = subprocess.run([clearview, "patches", "--json", "--state", state], check=True, stdout=subprocess.PIPE, text=True).stdout
        number = str(json.loads(listed)[0]["id"])
        start, changed, undisturbed = time.monotonic(), [], []
        for _ in range(times):
            for verb in ("enable", "disable"):
                ask(program)
                change(verb, number)
                changed.append(ask(program)[0])
        interval = (time.monotonic() - start) / len(changed)
        for _ in changed:
            ask(program)
            time.sleep(interval)
            undisturbed.append(ask(program)[0])
        return undisturbed, changed
    finally:
        program.stdin.close()
        program.wait()


def words(delays):
    ordered = sorted(delays)
    return "%.3f, %.3f" % (ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100])


def main():
    a = arguments()
    clearview = os.path.realpath(a.build + "/clearview")
    with tempfile.TemporaryDirectory() as work:
        binary = work + "/stalls"
        subprocess.run(["gcc", "-O2", "-s", "-rdynamic", "-pthread", "-o", binary, HERE + "/src/stalls.c"], check=True)
        print("| options | threads | undisturbed, ms: median, 95 %% | a patch goes in or out %d times, ms: median, 95 %% | must | aim |\n|---|---|---|---|---|---|" % (2 * a.n))
        for name, options in OPTIONS.items():
            for threads in THREADS:
                undisturbed, changed = (words(x) for x in measure(clearview, binary, options, threads, a.n, work))
                print("| %s | %d | %s | %s | 1 | 0.1 |" % (name, threads, undisturbed, changed), flush=True)


main()
