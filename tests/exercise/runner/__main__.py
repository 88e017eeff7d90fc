"""`python3 -m runner`: run the exercise and print the paper's table (see the Makefile's `exercise`)."""
import argparse
import sys

import exploits

from .modes import MODES
from .report import as_data, remarks, table, verdict, write_json
from .run import Run
from .target import CONFIGURATIONS, HERE
from .timeline import write_html


def parse(args):
    p = argparse.ArgumentParser(prog="runner")
    p.add_argument("--build", default="2009", choices=["2009", "hardened", "sanitize"])
    p.add_argument("--mode", default="single", choices=sorted(MODES))
    p.add_argument("--under", default="", help="command prefix to run the target under")
    p.add_argument("--learn-under", default="", help="another prefix for the learning cases, in a process before")
    p.add_argument("--configuration", default="single", choices=sorted(CONFIGURATIONS))
    p.add_argument("--presentations", type=int, default=15, help="of one exploit at most")
    p.add_argument("--learn", type=int, default=1, help="times the learning cases are sent")
    p.add_argument("--only", type=int, nargs="+", help="numbers of exploits")
    p.add_argument("--results", default=str(HERE / "build" / "results"))
    p.add_argument("--log", help="file for what the target prints")
    p.add_argument("--verbose", action="store_true")
    return p.parse_args(args)


def main(args):
    options = parse(args)
    chosen = [e for e in exploits.ALL if not options.only or e.NUMBER in options.only]
    data = as_data(Run(options, chosen).execute())
    print(table(data))
    print(remarks(data))
    results = HERE / options.results
    results.mkdir(parents=True, exist_ok=True)
    name = "-".join([options.build, options.mode, options.configuration, "under" if options.under else "native"])
    write_json(data, results / f"{name}.json")
    write_html(data, results / f"{name}.html")
    wrong = [] if options.under else verdict(data)
    for sentence in wrong:
        print("NOT AS IT HAS TO BE:", sentence)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
