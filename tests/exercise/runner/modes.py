"""The ways to attack: what is presented, in which order, until when.

Every mode is a function of a Run, which knows the target and notes what happens.
"""
import concurrent.futures
import threading

from . import poison
from .presentation import Delivery, Presentation, aftermath


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


def _all_at_once(run, pairs):
    """Deliver these (exploit, variant) together; returns the deliveries in the same order."""
    gate = threading.Barrier(len(pairs))

    def one(pair):
        gate.wait()
        return Delivery(*pair, run.target, run.folder)

    with concurrent.futures.ThreadPoolExecutor(len(pairs)) as pool:
        return list(pool.map(one, pairs))


def _outcomes(deliveries, ending):
    """What to count for each: None where another's success explains that one came to nothing."""
    control = [delivery.took_control() for delivery in deliveries]
    if not ending:
        other = "survived"
    else:
        other = None if any(control) else "died"
    return ["control" if mine else other for mine in control]


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
        with run.target.watch() as watch:
            at = run.clock()
            deliveries = _all_at_once(run, pairs)
            ending = aftermath(run.target, watch, any(d.lost for d in deliveries))
        for (exploit, variant), outcome in zip(pairs, _outcomes(deliveries, ending)):
            if outcome is None:
                continue
            presentation = Presentation(exploit, variant)
            presentation.outcome, presentation.detail, presentation.at = outcome, ending, at
            presentation.seconds = run.clock() - at
            run.note(presentation)
            counts[exploit] += 1
            if outcome == "survived" or counts[exploit] >= run.limit:
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
