"""The exercise's own check, short: `make -C tests/exercise check`.

    frozen       the target's sources are those that were frozen
    legitimate   every case, on each build, gives what was recorded; the sanitizer build reports nothing
    exploit      every variant once, natively: it takes control of the 2009 build, fails the hardened one,
                 and is reported by the sanitizer build at a known place
    poison       the widening requests harm no unprotected server
    runner       works under a prefix, and with each configuration

Ends with "N passed, N failed, N skipped". A test that fails says how to run it alone:
`python3 -m runner.check NAME...`, in this folder; a name's beginning will do.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import exploits
from traffic.cases import JUDGE, LEARN

from . import frozen, modes, poison, sanitized
from .client import Client, Lost
from .presentation import Delivery, aftermath
from .run import Run
from .target import HERE, Target
from .visitor import Tally, visit_all


class Failure(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what)


def test_frozen():
    changed = frozen.changed()
    expect(not changed, "changed since they were frozen: " + ", ".join(changed))


def legitimate(build, configuration):
    def test():
        with tempfile.TemporaryDirectory(prefix="exercise-") as folder:
            log = pathlib.Path(folder) / "log"
            with Target(build, configuration=configuration, log=log) as target:
                tally = Tally()
                visit_all(LEARN + JUDGE, target, tally)
                target.identity()
            text = log.read_text(errors="replace")
        expect(not tally.different and not tally.lost, f"{tally.lost} lost, different: {tally.names}")
        expect(not sanitized.reports(text), text[:2000])
    return test


def _deliver(target, exploit, variant, folder):
    """Returns whether it took control, and how the target ended ("" if it didn't)."""
    with target.watch() as watch:
        delivery = Delivery(exploit, variant, target, folder)
        ending = aftermath(target, watch, delivery.lost)
    return delivery.took_control(), ending


def exploited(build, exploit, control):
    def test():
        with tempfile.TemporaryDirectory(prefix="exercise-") as folder, Target(build) as target:
            for variant, (name, _) in enumerate(exploit.VARIANTS):
                took, ending = _deliver(target, exploit, variant, pathlib.Path(folder))
                expect(took == control and ending, f"{name}: control {took}, ending '{ending}'")
    return test


def reported(exploit):
    def test():
        table, found = sanitized.places(), set()
        with tempfile.TemporaryDirectory(prefix="exercise-") as folder:
            log = pathlib.Path(folder) / "log"
            with Target("sanitize", log=log) as target:
                for variant in range(len(exploit.VARIANTS)):
                    took, _ = _deliver(target, exploit, variant, pathlib.Path(folder))
                    expect(not took, "control of the sanitizer build")
            reports = sanitized.reports(log.read_text(errors="replace"))
        found = {table.get(report) for report in reports}
        expect(len(reports) == len(exploit.VARIANTS), f"{len(reports)} reports")
        expect(found == {exploit.NUMBER}, f"reported elsewhere: {reports}")
    return test


def harmless(number):
    def test():
        with Target("2009") as target:
            for method, path, body in poison.WIDENING[number]:
                with Client(target.port) as client:
                    client.request(method, path, body)
            target.identity()
    return test


def in_mode(mode, configuration, under="", learn_under="", only=(1, 7)):
    def test():
        options = argparse.Namespace(build="2009", mode=mode, under=under, configuration=configuration, log=None,
                                     presentations=2, learn=1, learn_under=learn_under, verbose=False)
        run = Run(options, [e for e in exploits.ALL if e.NUMBER in only]).execute()
        outcomes = {p.outcome for p in run.presentations}
        expect(outcomes == {"control"}, f"outcomes {outcomes}")
        expect(not run.tally.different and not run.last.different and not run.last.lost, "legitimate cases differ")
    return test


def defects_listed():
    numbers = set(sanitized.places().values())
    expect(numbers == {e.NUMBER for e in exploits.ALL}, f"places listed for {sorted(numbers)}")


def tests():
    """(name, function) in the order they are run."""
    yield "frozen", test_frozen
    yield "places", defects_listed
    for build in ("sanitize", "2009", "hardened"):
        yield f"legitimate {build}", legitimate(build, "single")
    for configuration in ("workers", "threads"):
        yield f"legitimate sanitize {configuration}", legitimate("sanitize", configuration)
    for e in exploits.ALL:
        yield f"exploit {e.NUMBER} 2009", exploited("2009", e, True)
        yield f"exploit {e.NUMBER} hardened", exploited("hardened", e, False)
        yield f"exploit {e.NUMBER} sanitize", reported(e)
        yield f"poison {e.NUMBER}", harmless(e.NUMBER)
    for mode in sorted(modes.MODES):
        for configuration in ("single", "workers", "threads"):
            yield f"runner {mode} {configuration}", in_mode(mode, configuration)
    yield "runner prefix", in_mode("single", "single", under="env EXERCISE=1")
    yield "runner learning apart", in_mode("single", "single", learn_under="env EXERCISE=learn")
    yield "runner restarting prefix", in_mode("single", "single", under=str(HERE / "runner" / "restart.sh"))


def run_one(name, test):
    try:
        test()
    except (Failure, Lost, OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"FAILED {name}: {error}\n  again: cd {os.path.relpath(HERE)} && python3 -m runner.check '{name}'")
        return False
    return True


def main(names):
    os.environ["UBSAN_OPTIONS"] = "print_stacktrace=1"
    passed = failed = skipped = 0
    for name, test in tests():
        if names and not name.startswith(tuple(names)):
            skipped += 1
        elif run_one(name, test):
            passed += 1
        else:
            failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
