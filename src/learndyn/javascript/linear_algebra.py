"""Linear algebra: a call of a function of algebra.js for each matrix of a batch."""

import math

from learndyn.javascript.compiler import rule
from learndyn.javascript.values import linear


def _triangular(p, a, b):
    """Solving from the right is solving with the transpose, for the rows."""
    transposed, (rows, columns) = p["transpose_a"] != (not p["left_side"]), b[-2:]
    strides = (*((1, a[-1]) if transposed else (a[-1], 1)), *((columns, 1) if p["left_side"] else (1, columns)))
    return a[-1], columns if p["left_side"] else rows, *strides, p["lower"] != transposed, p["unit_diagonal"]


# From the parameters and the shapes of the operands to the numbers that the function takes last.
NUMBERS = {
    "cholesky": lambda p, a: a[-1:],
    "eigh": lambda p, a: a[-1:],
    "lu": lambda p, a: a[-2:],
    "lu_pivots_to_permutation": lambda p, a: (a[-1], p["permutation_size"]),
    "triangular_solve": _triangular,
}


@rule(*NUMBERS)
def linear_algebra(program, equation, *operands):
    results = [program.allocate(out.shape, out.dtype) for out in equation.outputs]
    arrays, rank = [*map(program.contiguous, operands), *results], 1 if "pivots" in equation.name else 2
    batch = arrays[0].shape[: len(arrays[0].shape) - rank]
    numbers = [str(int(n)) for n in NUMBERS[equation.name](equation.params, *(v.shape for v in operands))]
    with program.loop(batch) as position:
        def part(v):
            n, start = v.size // max(math.prod(batch), 1), linear(position, batch) * (v.size // max(math.prod(batch), 1))
            return f"{v.name}.subarray({start},{start + n})" if batch else v.name

        program.write(f"{equation.name}({','.join([*map(part, arrays), *numbers])});")
    return results
