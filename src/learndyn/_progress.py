"""How far long work has come, on standard error."""

import sys
import time


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
        if now - self.spoke >= 1.0:
            self.spoke = now
            print(
                f"{self.work}: {float(done):.0f} of {float(total):.0f} {self.unit}, {now - self.began:.0f} s",
                file=sys.stderr,
                flush=True,
            )
