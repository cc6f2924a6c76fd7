"""Logs as other loops write them."""

import csv
import os
from collections.abc import Mapping

import numpy as np

from learndyn import _require as require
from learndyn.diagnosis.record import KEYS, ROWS


def read_csv(path: str | os.PathLike, *, columns: Mapping[str, str] | None = None) -> dict:
    """A run from a table, a line a logged step; columns `update_ratio/first`, `update_ratio/second` make one entry.

    An empty cell was not measured at that step: such a column becomes a pair (steps, values), and needs a column `step`.

    Args:
      path: a file of comma-separated values whose first line names the columns.
      columns: what each column of the file is, for files with other names: `{"loss/train": "train_loss"}`. Columns that are
        no entry of a run (`record.KEYS`), renamed or not, are left out.

    Returns:
      A dictionary for `diagnose`.

    Raises:
      ValueError, TypeError: for cells that are no numbers, a missing column, layers measured at different steps.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be the path of a file, but is {path!r} of type {type(path).__name__}")
    columns = {} if columns is None else columns
    for given, name in columns.items():
        require.one_of(f"columns[{given!r}]", name.partition("/")[0], KEYS)
    with open(path, newline="") as file:
        lines = list(csv.DictReader(file))
    if not lines:
        raise ValueError(f"path must be a table with a line of names and lines of numbers, but {os.fspath(path)!r} has none")
    if absent := set(columns) - set(lines[0]):
        raise ValueError(f"columns must name columns of the file, {sorted(lines[0])}, but names {sorted(absent)}")
    parts = {}
    for column in lines[0]:
        name = columns.get(column, column)
        if name.partition("/")[0] in KEYS:
            cells = [_number(line[column], column, i) for i, line in enumerate(lines)]
            parts.setdefault(name.partition("/")[0], []).append(cells)
    run = {name: _joined(name, several) for name, several in parts.items()}
    steps = run.get("step")
    for name, values in run.items():
        measured = np.array([cell is not None for cell in values.reshape(len(lines), -1)[:, 0]])
        if any((cell is not None) != there for row, there in zip(values.reshape(len(lines), -1), measured) for cell in row):
            raise ValueError(f"{name} must be measured for all layers at the same steps")
        kept = values[measured].astype(float)
        if not measured.all() and (steps is None or name in ("step", "train_loss")):
            raise ValueError(
                f"{name} must have a number in every line, or the file a column step, but is empty in line {np.argmin(measured)}"
            )
        run[name] = kept if measured.all() else (steps[measured].astype(float), kept)
    return run


def _number(cell, column, line):
    """A number, or None for an empty cell."""
    if cell is None or not cell.strip():
        return None
    try:
        return float(cell)
    except ValueError as error:
        raise ValueError(f"{column} must hold numbers, but is {cell!r} in line {line}") from error


def _joined(name, several):
    values = np.array(several, dtype=object).T  # (lines, layers)
    if name in ROWS:
        return values
    if values.shape[1] > 1:
        raise ValueError(f"{name} must be one column, but the file has {values.shape[1]}")
    return values[:, 0]
