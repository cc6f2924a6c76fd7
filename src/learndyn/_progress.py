"""How far long work has come, on standard error."""

import sys
import time

SECONDS = 1.0  # between two lines


class Progress:
    """A line at most once a second; short work says nothing.

    One object a kind of work, made once: compiled programs call it and are reused.
    """

    def __init__(self, work: str, unit: str):
        self.work, self.unit = work, unit
        self.begin()

    def begin(self) -> None:
        self.began = self.spoke = time.monotonic()

    def __call__(self, done, total) -> None:
        now = time.monotonic()
        if now - self.spoke >= SECONDS:
            self.spoke = now
            print(f"{self.work}: {self.line(done, total, now - self.began)}", file=sys.stderr, flush=True)

    def line(self, done, total, spent) -> str:
        return f"{float(done):.0f} of {float(total):.0f} {self.unit}, {spent:.0f} s"


class Countdown(Progress):
    """For long and even work that may go on from an earlier run: the share that is done, and the time still to go."""

    def begin(self, done=0) -> None:
        super().begin()
        self.start = done

    def line(self, done, total, spent) -> str:
        left = spent * (total - done) / (done - self.start)
        return f"{done / total:.1%} of {total:.3g} {self.unit}, {_span(spent)}, about {_span(left)} to go"


def _span(seconds):
    minutes, hours = seconds / 60, seconds / 3600
    return f"{seconds:.0f} s" if seconds < 100 else f"{minutes:.0f} min" if minutes < 100 else f"{hours:.1f} h"
