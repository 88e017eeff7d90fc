"""One presentation of an exploit, and what came of it.

    control    the marker file is there: the attacker's code ran
    died       no marker, but a process of the target ended (or no longer answers)
    survived   no marker, and the same processes serve as before
"""
import itertools
import time

from exploits.attack import Attack

from .client import Lost

_serial = itertools.count(1)


class Presentation:
    def __init__(self, exploit, variant):
        self.exploit, self.variant = exploit, variant
        self.outcome, self.detail, self.at, self.seconds = None, "", 0.0, 0.0

    @property
    def label(self):
        return f"{self.exploit.NUMBER}/{self.exploit.VARIANTS[self.variant][0]}"


def deliver(exploit, variant, target, folder, blunt=False):
    """Send the exploit; returns the marker's path. A blunt one has its addresses wrong: it can only crash."""
    marker = folder / f"marker-{next(_serial)}"
    try:
        with Attack(target.port, target.build, marker) as attack:
            if blunt:
                attack.know.sessions += 0x7e0000000
            exploit.VARIANTS[variant][1](attack)
    except Lost:
        pass
    return marker


def judge(presentation, marker, before, target):
    """Find out what came of it, and see to it that the target serves again."""
    after = target.settle()
    if after is None:
        presentation.detail = target.revive()
    elif after != before:
        presentation.detail = "worker replaced"
    if marker.exists():
        presentation.outcome = "control"
        marker.unlink()
    else:
        presentation.outcome = "survived" if after == before else "died"


def present(exploit, variant, target, folder, clock, blunt=False):
    """Present an exploit to a target at rest (but for other visitors)."""
    presentation = Presentation(exploit, variant)
    presentation.at = clock()
    began = time.monotonic()
    before = target.settle() or (target.revive(), target.settle())[1]
    judge(presentation, deliver(exploit, variant, target, folder, blunt), before, target)
    presentation.seconds = time.monotonic() - began
    return presentation
