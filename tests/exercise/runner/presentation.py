"""One presentation of an exploit, and what came of it.

    control    the marker file is there: the attacker's code ran
    died       no marker, but a process of the target ended (or no longer answers)
    survived   no marker, and the same processes serve as before
"""
import itertools
import time

from exploits.attack import Attack

from .client import Lost
from .watch import Watch

EXIT_TIME = 0.5      # a process that has closed its connections is gone soon after
_serial = itertools.count(1)


class Presentation:
    def __init__(self, exploit, variant):
        self.exploit, self.variant = exploit, variant
        self.outcome, self.detail, self.at, self.seconds = None, "", 0.0, 0.0

    @property
    def label(self):
        return f"{self.exploit.NUMBER}/{self.exploit.VARIANTS[self.variant][0]}"


class Delivery:
    """An exploit that has been sent: its marker's path, and whether the connection held."""

    def __init__(self, exploit, variant, target, folder, blunt=False):
        self.marker, self.lost = folder / f"marker-{next(_serial)}", False
        try:
            with Attack(target.port, target.build, self.marker, blunt) as attack:
                exploit.VARIANTS[variant][1](attack)
        except Lost:
            self.lost = True

    def took_control(self):
        """Ask once: the marker is removed."""
        there = self.marker.exists()
        self.marker.unlink(missing_ok=True)
        return there


def aftermath(target, watch, lost):
    """Find out whether the target lived through it, and see to it that it serves again.

    Returns "" if it did, else how it ended."""
    ended = watch.ended(EXIT_TIME if lost else 0.0)
    after = target.settle()
    if after is None:
        return target.revive()
    return "process replaced" if ended or after != watch.pids else ""


def present(exploit, variant, target, folder, clock, blunt=False):
    """Present an exploit while nobody else attacks."""
    presentation = Presentation(exploit, variant)
    with target.watch() as watch:
        presentation.at, began = clock(), time.monotonic()
        delivery = Delivery(exploit, variant, target, folder, blunt)
        presentation.detail = aftermath(target, watch, delivery.lost)
    died = "died" if presentation.detail else "survived"
    presentation.outcome = "control" if delivery.took_control() else died
    presentation.seconds = time.monotonic() - began
    return presentation
