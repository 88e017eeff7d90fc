"""One run of the exercise: start, learn, attack in some mode, judge, and keep everything noted."""
import pathlib
import tempfile
import time

from traffic.cases import JUDGE, LEARN

from .modes import MODES
from .presentation import present
from .target import Target
from .visitor import Tally, Visitor, visit_all


class Run:
    def __init__(self, options, exploits):
        self.options, self.exploits, self.limit = options, exploits, options.presentations
        self.events, self.presentations, self.blunts = [], [], []
        self.learned, self.tally, self.last = Tally(), Tally(), Tally()
        self.poison_failed, self.began = 0, time.monotonic()
        self.deaths, self.shares = [], {}

    def clock(self):
        return time.monotonic() - self.began

    def event(self, kind, what):
        self.events.append({"at": round(self.clock(), 4), "kind": kind, "what": what})

    def note(self, presentation):
        self.presentations.append(presentation)
        self.event(presentation.outcome, presentation.label)
        if self.options.verbose:
            print(f"  {presentation.label}: {presentation.outcome} {presentation.detail}", flush=True)

    def present(self, exploit, variant):
        presentation = present(exploit, variant, self.target, self.folder, self.clock)
        self.note(presentation)
        return presentation

    def blunt(self, exploit, variant):
        presentation = present(exploit, variant, self.target, self.folder, self.clock, blunt=True)
        self.blunts.append(presentation)
        self.event("blunt " + presentation.outcome, presentation.label)

    def _target(self, under):
        options = self.options
        return Target(options.build, under, options.configuration, options.log)

    def _learn(self):
        for _ in range(self.options.learn):
            visit_all(LEARN, self.target, self.learned)
        self.event("learned", f"{self.learned.identical} cases")

    def _learn_apart(self):
        """Under a prefix of its own, in a process that is then asked to end."""
        with self._target(self.options.learn_under) as self.target:
            self._learn()
            self.target.terminate()

    def execute(self):
        """Returns when the last legitimate case has been judged."""
        options = self.options
        with tempfile.TemporaryDirectory(prefix="exercise-") as folder:
            self.folder = pathlib.Path(folder)
            if options.learn_under:
                self._learn_apart()
            with self._target(options.under) as self.target:
                self.event("start", "target")
                if not options.learn_under:
                    self._learn()
                visitor = Visitor(self.target, self.tally, self.event)
                visitor.start()
                try:
                    MODES[options.mode](self)
                finally:
                    visitor.stop()
                self.event("attacks over", "")
                visit_all(JUDGE, self.target, self.last)
                self.deaths = self.target.deaths
        self.event("end", "")
        return self
