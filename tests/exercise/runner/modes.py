"""The ways to attack: what is presented, in which order, until when.

Every mode is a function of a Run, which knows the target and notes what happens.
"""
import threading

from . import poison
from .presentation import Presentation, deliver, judge


def _until_survival(run, exploit, variant):
    for _ in range(run.limit):
        if run.present(exploit, variant).outcome == "survived":
            break


def single(run):
    """One exploit after another, each in its first form, until it is survived."""
    for exploit in run.exploits:
        _until_survival(run, exploit, 0)


def variants(run):
    """All forms of each exploit; the first is presented until it is survived, then the others."""
    for exploit in run.exploits:
        for variant in range(len(exploit.VARIANTS)):
            _until_survival(run, exploit, variant)


def interleaved(run):
    """All exploits in turn, in changing forms, those survived left out."""
    left = list(run.exploits)
    for turn in range(run.limit):
        for exploit in list(left):
            if run.present(exploit, turn % len(exploit.VARIANTS)).outcome == "survived":
                left.remove(exploit)


class _Round:
    """All the given exploits at the same time; their threads start together."""

    def __init__(self, run, pairs):
        self.run, self.markers = run, {}
        self.gate = threading.Barrier(len(pairs))
        self.threads = [threading.Thread(target=self._one, args=pair) for pair in pairs]

    def _one(self, exploit, variant):
        self.gate.wait()
        self.markers[exploit] = deliver(exploit, variant, self.run.target, self.run.folder)

    def go(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()
        return self.markers


def simultaneous(run):
    """All exploits at the same moment, again and again.

    The first that takes the target down takes the others' presentations with it: where another's
    marker explains why one came to nothing, it is not counted, and is repeated. Without any marker
    all in flight are counted, as nobody can tell whose doing it was.
    """
    counts = {exploit: 0 for exploit in run.exploits}
    left = list(run.exploits)
    while left:
        pairs = [(exploit, counts[exploit] % len(exploit.VARIANTS)) for exploit in left]
        before, at = run.target.settle(), run.clock()
        markers = _Round(run, pairs).go()
        taken = {exploit for exploit, marker in markers.items() if marker.exists()}
        presented = [Presentation(exploit, variant) for exploit, variant in pairs]
        judge(presented[0], markers[presented[0].exploit], before, run.target)
        same, detail = presented[0].outcome == "survived", presented[0].detail
        for presentation in presented:
            exploit = presentation.exploit
            if taken and exploit not in taken and not same:
                continue
            presentation.outcome = "control" if exploit in taken else "survived" if same else "died"
            presentation.detail, presentation.at = detail, at
            presentation.seconds = run.clock() - at
            markers[exploit].unlink(missing_ok=True)
            run.note(presentation)
            counts[exploit] += 1
            if presentation.outcome == "survived" or counts[exploit] >= run.limit:
                left.remove(exploit)


def poisoned(run):
    """Each exploit after traffic that widens what was learned, and between failures of other causes."""
    poison.widen(run, poison.WIDENING)
    for exploit in run.exploits:
        for turn in range(run.limit):
            run.blunt(exploit, turn % len(exploit.VARIANTS))
            poison.widen(run, {exploit.NUMBER: poison.WIDENING.get(exploit.NUMBER, "")})
            if run.present(exploit, turn % len(exploit.VARIANTS)).outcome == "survived":
                break
        poison.near(run, exploit)


MODES = {"single": single, "variants": variants, "interleaved": interleaved, "simultaneous": simultaneous,
         "poison": poisoned}
