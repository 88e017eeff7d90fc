"""Record what the legitimate cases have to give: `python3 -m traffic.record [NAME...]`.

Done once, from the sanitizer build, and looked through by a person; the files are then kept.
"""
import sys

from runner.client import Client
from runner.target import Target

from .cases import HERE, JUDGE, LEARN


def main(names):
    with Target("sanitize") as target:
        for case in LEARN + JUDGE:
            if not names or case.name in names:
                with Client(target.port) as client:
                    (HERE / "expected" / case.name).write_bytes(case.run(client))


if __name__ == "__main__":
    main(sys.argv[1:])
