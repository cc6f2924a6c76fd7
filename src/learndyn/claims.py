"""Claims that a chapter makes, executed: measured, compared with what the source says, and able to fail.

A claim shows one line and puts a machine-readable record beside it in the cell's output, from which the book's ledger
is made. It fails the cell when it does not hold.
"""

import html
import math
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from jax.typing import ArrayLike

from learndyn import _require as require

MIME = "application/vnd.learndyn.claim+json"

# Where the expected value comes from.
KINDS = {
    "stated": "stated in the source",
    "code": "read in the authors' published code",
    "derived": "derived here",
    "in kind": "the same phenomenon on a task of our own",
}


class ClaimFailed(AssertionError):
    """A claim does not hold, or a negative one does."""


@dataclass(frozen=True)
class Claim:
    """One judged claim; `status` is *reproduced*, *in kind* or *not reproduced*."""

    id: str
    statement: str
    source: str
    kind: str
    expected: str
    measured: float
    holds: bool
    status: str
    because: str | None
    seconds: float

    @property
    def verdict(self):
        if self.holds == bool(self.because):
            return "FAILED"
        return self.status + (f", because {self.because}" if self.because else "")

    def facts(self):
        """Everything but the verdict, in one line."""
        return (f"{self.id} {self.statement} [{self.source}, {KINDS[self.kind]}]: "
                f"expected {self.expected}, measured {_number(self.measured)} ({self.seconds:.1f} s)")

    def text(self):
        return f"{self.verdict}: {self.facts()}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        mark = "\u2713" if self.holds else "\u2717"
        edge = "solid" if self.holds else "dashed"
        # colors of the page itself, so light and dark both read; the verdict is a word, the mark decoration
        line = (f'<p class="claim" style="border-left: 0.25em {edge} currentColor; '
                f'padding-left: 0.75em; margin: 0.5em 0"><span aria-hidden="true">{mark}</span> '
                f"<strong>{self.id} {html.escape(self.verdict)}</strong>: {html.escape(self.statement)}. "
                f"Expected {html.escape(self.expected)}, measured <strong>{_number(self.measured)}</strong>. "
                f"<small>Source: {html.escape(self.source)}, {KINDS[self.kind]}; {self.seconds:.1f} s.</small></p>")
        return {"text/html": line, "text/plain": self.text(), MIME: asdict(self) | {"shown": _number(self.measured)}}


def claim(
    id: str,
    statement: str,
    *,
    measured: ArrayLike,
    below: ArrayLike | None = None,
    above: ArrayLike | None = None,
    equals: ArrayLike | None = None,
    within: ArrayLike | None = None,
    between: Sequence[ArrayLike] | None = None,
    source: str,
    kind: str,
    reproduced: bool = True,
    because: str | None = None,
) -> None:
    """measured < below, measured > above, |measured - equals| <= within, or between[0] <= measured <= between[1].

    Args:
      id: the result's id in the ledger, such as "N1".
      statement: what is claimed, one plain sentence without its period.
      measured: a finite real scalar computed in this chapter.
      below, above, equals, between: the bound; exactly one. `equals` needs `within`, an absolute tolerance.
      source: the key of the source in the bibliography.
      kind: where the expected value comes from, one of `KINDS`.
      reproduced: False records a negative result, which needs `because`; it fails the cell once the claim holds.

    Raises:
      ClaimFailed: it does not hold, `measured` is not finite, or a negative result holds after all.
      TypeError, ValueError: an argument that cannot be judged.
    """
    judged = _judge(**locals())
    shell = _shell()
    if shell is None:
        print(judged.text())
    else:
        shell.display_pub.publish(judged._repr_mimebundle_())
    _require_verdict(judged)


def _judge(id, statement, *, measured, below, above, equals, within, between, source, kind, reproduced, because):
    """`claim` without its consequences: the `Claim`, whether it holds or not."""
    if not (isinstance(id, str) and re.fullmatch(r"[A-Z][1-9]\d*", id)):
        raise ValueError(f"id must be a letter and a number, such as 'N1', but is {id!r}")
    for name, given in {"statement": statement, "source": source}.items():
        if not (isinstance(given, str) and given.strip()):
            raise ValueError(f"{name} must be a text that is not empty, but is {given!r}")
    require.one_of("kind", kind, KINDS)
    if not isinstance(reproduced, bool):
        raise TypeError(f"reproduced must be True or False, but is {reproduced!r}")
    if because is not None and not (isinstance(because, str) and because.strip()):
        raise ValueError(f"because must be a text that is not empty, but is {because!r}")
    if reproduced == bool(because):
        raise ValueError("because must say why when reproduced=False, and only then, "
                         f"but reproduced is {reproduced!r} and because is {because!r}")
    expected, compare = _bound(below, above, equals, within, between)
    value = _scalar("measured", measured)
    status = "not reproduced" if not reproduced else "in kind" if kind == "in kind" else "reproduced"
    holds = math.isfinite(value) and bool(compare(value))
    return Claim(id, statement.strip(), source, kind, expected, value, holds, status, because, _seconds())


def _require_verdict(judged):
    if not math.isfinite(judged.measured):
        raise ClaimFailed(f"measured must be finite: {judged.facts()}")
    if judged.because and judged.holds:
        raise ClaimFailed(f"said not to be reproduced ({judged.because}), but it holds now: {judged.facts()}")
    if not judged.because and not judged.holds:
        raise ClaimFailed(f"does not hold: {judged.facts()}")


def _bound(below, above, equals, within, between):
    """The one bound that is given, in words and as a function of the measured value."""
    given = [name for name, bound in
             {"below": below, "above": above, "equals": equals, "between": between}.items() if bound is not None]
    if len(given) != 1:
        raise ValueError("exactly one of below, above, equals, between must be given, but "
                         f"{' and '.join(given) if given else 'none'} is")
    if (within is None) != (equals is None):
        raise ValueError("within, an absolute tolerance, must be given with equals and only with it, "
                         f"but within is {within!r} and equals is {equals!r}")
    if below is not None:
        top = _finite("below", below)
        return f"below {_number(top)}", lambda value: value < top
    if above is not None:
        bottom = _finite("above", above)
        return f"above {_number(bottom)}", lambda value: value > bottom
    if equals is not None:
        target, tolerance = _finite("equals", equals), _finite("within", within)
        if tolerance < 0:
            raise ValueError(f"within must be zero or positive, but is {within!r}")
        return f"{_number(target)} \u00b1 {_number(tolerance)}", lambda value: abs(value - target) <= tolerance
    if not (isinstance(between, (tuple, list)) and len(between) == 2):
        raise TypeError(f"between must be a pair (low, high), but is {between!r}")
    low, high = (_finite(f"between[{i}]", bound) for i, bound in enumerate(between))
    if not low < high:
        raise ValueError(f"between must increase, but is {between!r}")
    return f"between {_number(low)} and {_number(high)}", lambda value: low <= value <= high


def _scalar(name, value):
    array = np.asarray(value)
    if array.ndim != 0:
        raise TypeError(f"{name} must be a scalar, but has shape {array.shape}")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a real number, but is {value!r} of type {type(value).__name__}")
    return float(array)


def _finite(name, value):
    value = _scalar(name, value)
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, but is {value!r}")
    return value


_RAISED = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


def _number(value):
    """Six significant digits, or three and a power of ten: enough to tell a measured value from its bound."""
    plain = f"{value:.6g}"
    if "e" not in plain:
        return plain
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{float(mantissa):g}\u00d710{str(int(exponent)).translate(_RAISED)}"


def _shell():
    # a plain Python process that never imported IPython has no shell: do not import it to find that out
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


_began = time.perf_counter()


def _cell_begins(info=None):
    global _began
    _began = time.perf_counter()


def _seconds():
    """Since the cell began; outside IPython, since this module was imported."""
    return time.perf_counter() - _began


if _shell() is not None:
    _shell().events.register("pre_run_cell", _cell_begins)
