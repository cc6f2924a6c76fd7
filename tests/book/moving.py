"""The figures of the built book that a reader can move, each with the JAX function from which its program was made."""

import base64
import functools
import json
import re
import zlib
from dataclasses import dataclass

import jax
import numpy as np

import browser
from book._ext import execution

MIME = "application/vnd.learndyn.explore+json"
SETTINGS = 200


@dataclass(frozen=True, eq=False)
class Moving:
    """`page` relative to the built book, the figure's id, its controls as the spec lists them, its program, its function."""

    page: str
    id: str
    spec: dict
    program: str | None  # None where the page holds frames instead
    exported: bytes

    def settings(self) -> np.ndarray:
        """Random settings (SETTINGS, controls), uniform on the tracks of the sliders; the first ones are both ends of all."""
        rng = np.random.default_rng(zlib.crc32(self.id.encode()))
        part = rng.uniform(size=(SETTINGS, len(self.spec["controls"])))
        part[0], part[1] = 0.0, 1.0
        return np.stack([self._at(control, t) for control, t in zip(self.spec["controls"], part.T, strict=True)], axis=1)

    @staticmethod
    def _at(control, t):
        if control["kind"] == "choice":
            return np.minimum(np.floor(t * len(control["options"])), len(control["options"]) - 1)
        low, high = control["low"], control["high"]
        value = np.exp(np.log(low) + t * np.log(high / low)) if control["log"] else low + t * (high - low)
        return np.clip(value, low, high)  # the exponential of a logarithm may end a hair outside

    @functools.cache  # noqa: B019, as many as there are figures
    def by_jax(self) -> dict[str, np.ndarray]:
        """What the function returns at all settings: key -> (SETTINGS, ...)."""
        with jax.enable_x64(True):
            exported = jax.export.deserialize(bytearray(self.exported))
            dtypes = [aval.dtype for aval in exported.in_avals]
            columns = [jax.numpy.asarray(column, dtype) for column, dtype in zip(self.settings().T, dtypes, strict=True)]
            return jax.device_get(jax.jit(lambda *all: jax.lax.map(lambda one: exported.call(*one), all))(*columns))


@functools.cache
def figures() -> list[Moving]:
    """All of them, in the order of the book; empty where it is not executed."""
    executed, found = execution.Executed(browser.ROOT), []
    for path in execution.chapters(browser.ROOT):
        if path not in executed:
            return []
        page = path.relative_to(browser.ROOT).with_suffix(".html").as_posix()
        for cell in execution.code_cells(executed.notebook(path)):
            for output in cell.outputs:
                data = output.get("data", {})
                if MIME in data:
                    found.append(_moving(page, data[MIME], data["text/html"]))
    return found


def _moving(page, record, html):
    spec = json.loads(re.search(r'class="explore-spec">(.*?)</script>', html, re.DOTALL)[1])
    program = re.search(r'\.figures\?\?=\{\}\)\["[^"]+"\]=(.*);</script>', html, re.DOTALL)
    return Moving(page, spec["id"], spec, program and program[1].replace("<\\/", "</"), zlib.decompress(base64.b64decode(record["function"])))
