"""Preconditions of the public functions: each names the argument, its value, and what is needed.

They look at shapes always and at values only where there are any: under ``jit`` or ``vmap`` an array is a tracer
without values, and the shape is all that can be judged before tracing goes on.
"""

import difflib
import numbers
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np


def positive(name: str, value) -> None:
    """A finite number above zero."""
    number(name, value)
    if not value > 0:
        raise ValueError(f"{name} must be positive, but is {value!r}")


def non_negative(name: str, value) -> None:
    """A finite number, zero allowed."""
    number(name, value)
    if not value >= 0:
        raise ValueError(f"{name} must be zero or positive, but is {value!r}")


def number(name: str, value) -> None:
    """A finite real number (a Python or NumPy scalar, not a Boolean)."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, but is {value!r} of type {type(value).__name__}")
    if not np.isfinite(value):
        raise ValueError(f"{name} must be finite, but is {value!r}")


def positive_integer(name: str, value) -> None:
    """An integer of at least one."""
    _integer(name, value, least=1)


def count(name: str, value) -> None:
    """An integer of at least zero."""
    _integer(name, value, least=0)


def _integer(name: str, value, *, least: int) -> None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, but is {value!r} of type {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, but is {value!r}")


def one_of(name: str, value, choices: Iterable[str]) -> None:
    """A known name; the error lists them all and offers the nearest."""
    choices = sorted(choices)
    if value not in choices:
        near = difflib.get_close_matches(str(value), choices, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, but is {value!r}{hint}")


def callable_(name: str, value) -> None:
    """A function."""
    if not callable(value):
        raise TypeError(f"{name} must be a function, but is {value!r} of type {type(value).__name__}")


def sequence(name: str, value) -> None:
    """Something to iterate over, in an order."""
    if not isinstance(value, Iterable) or isinstance(value, (str, set, dict)):
        raise TypeError(f"{name} must be a sequence, but is {value!r} of type {type(value).__name__}")


def key(name: str, value) -> None:
    """One PRNG key, of `jax.random.key` or of the older `jax.random.PRNGKey`."""
    dtype = getattr(value, "dtype", None)
    if dtype is None or not (dtype == jnp.uint32 or jnp.issubdtype(dtype, jax.dtypes.prng_key)):
        raise TypeError(f"{name} must be a PRNG key, as jax.random.key(0) makes one, but is {value!r}")
    if value.shape != ((2,) if dtype == jnp.uint32 else ()):
        raise ValueError(f"{name} must be one PRNG key (jax.vmap takes many), but has shape {tuple(value.shape)}")


def array(name: str, value, *, ndim: int | None = None) -> None:
    """A real, finite array with ``ndim`` axes."""
    if not hasattr(value, "ndim") or not hasattr(value, "dtype"):
        raise TypeError(f"{name} must be an array, but is {value!r} of type {type(value).__name__}")
    if ndim is not None and value.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, but has shape {tuple(value.shape)}")
    finite(name, value)


def matrix(name: str, value, *, rows: int | None = None, columns: int | None = None) -> None:
    """A finite matrix that is not empty; ``rows`` and ``columns`` where they are known."""
    array(name, value, ndim=2)
    if 0 in value.shape:
        raise ValueError(f"{name} must have at least one row and one column, but has shape {tuple(value.shape)}")
    wanted = (rows, columns)
    if any(w is not None and w != s for w, s in zip(wanted, value.shape)):
        need = " x ".join("any" if w is None else str(w) for w in wanted)
        raise ValueError(f"{name} must have shape {need}, but has shape {tuple(value.shape)}")


def widths(value) -> None:
    """The numbers of inputs, hidden neurons, and outputs of a network."""
    sequence("widths", value)
    if len(value) < 2:
        raise ValueError(f"widths must hold at least the inputs and the outputs, but is {tuple(value)}")
    for level, width in enumerate(value):
        positive_integer(f"widths[{level}]", width)


def finite(name: str, value) -> None:
    """Real numbers, no NaN, no infinity anywhere in an array or a pytree of arrays; says where the first one is."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(value):
        dtype = leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
        if not (jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)):
            raise TypeError(f"{name}{jax.tree_util.keystr(path)} must hold real numbers, but has dtype {dtype}")
        if isinstance(leaf, jax.core.Tracer):
            continue
        leaf = np.asarray(leaf)
        bad = ~np.isfinite(leaf)
        if bad.any():
            here = f"{name}{jax.tree_util.keystr(path)} must be finite, but"
            if not leaf.ndim:
                raise ValueError(f"{here} is {leaf}")
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"{here} {int(bad.sum())} of its {leaf.size} entries are not; the first is {leaf[where]} at index {where}"
            )


def times(name: str, value) -> None:
    """At least one finite time, zero or later, strictly increasing."""
    array(name, value, ndim=1)
    if value.shape[0] < 1:
        raise ValueError(f"{name} must hold at least one time, but is empty")
    if isinstance(value, jax.core.Tracer):
        return
    value = np.asarray(value)
    if value[0] < 0 or (np.diff(value) <= 0).any():
        raise ValueError(f"{name} must increase strictly from zero or later, but is {value}")


def loss(function, params) -> None:
    """Parameters that can move, and a function that makes one real number of them; nothing is evaluated."""
    callable_("loss", function)
    leaves = jax.tree_util.tree_leaves_with_path(params)
    if not leaves:
        raise ValueError(f"params0 must hold at least one array, but is {params!r}, which has no leaves")
    finite("params0", params)
    for path, leaf in leaves:
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise TypeError(
                f"params0{jax.tree_util.keystr(path)} must be floating point to move continuously, "
                f"but has dtype {jnp.result_type(leaf)}"
            )
    out = jax.eval_shape(function, params)
    if getattr(out, "shape", None) != () or not jnp.issubdtype(out.dtype, jnp.floating):
        raise ValueError(f"loss must return one real number, but loss(params0) is {out}")


def static(name: str, value) -> None:
    """Something that can name a compiled program: equal to itself and hashable."""
    try:
        hash(value)
    except TypeError as error:
        raise TypeError(
            f"{name} must be hashable, for the compiled program is remembered under it, but is {value!r}: "
            "wrap it in a function"
        ) from error


def descent(loss_, params0, optimizer, steps, every, observe, state):
    """The arguments of a descent; returns what is observed and the optimizer's state, given or by default."""
    loss(loss_, params0)
    if not (hasattr(optimizer, "init") and hasattr(optimizer, "update")):
        raise TypeError(f"optimizer must be an optax gradient transformation, but is {optimizer!r}")
    positive_integer("steps", steps)
    positive_integer("every", every)
    if steps % every:
        raise ValueError(f"steps must be a multiple of every, but steps = {steps} and every = {every}")
    observe = loss_ if observe is None else observe
    callable_("observe", observe)
    for name, function in (("loss", loss_), ("optimizer", optimizer), ("observe", observe)):
        static(name, function)
    wanted = jax.eval_shape(optimizer.init, params0)
    if state is None:
        state = optimizer.init(params0)
    elif (given := jax.tree.map(jnp.shape, state)) != (needed := jax.tree.map(jnp.shape, wanted)):
        raise ValueError(f"state must be of this optimizer and these parameters, {needed}, but is {given}")
    return observe, state
