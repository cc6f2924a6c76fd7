"""neural-tangents 0.6.5 on the pinned jax, without TensorFlow: ``from learndyn.neural_tangents import nt, stax``.

Version 0.6.5 is the last release and older than this jax. What stands between the two falls into three parts:

1. names that it imports from places where jax no longer keeps them: lent for the time of the import;
2. its module ``experimental``, the only one that needs TensorFlow: left out;
3. functions whose calls into jax or SciPy have changed meaning: replaced in its own modules.

All changes stay inside neural-tangents: jax and ``sys.modules`` are left as they were found.
"""

import contextlib
import functools
import importlib.metadata
import sys
import types

import jax
import jax.extend.core
import jax.extend.source_info_util
import jax.numpy as jnp
from jax.interpreters import ad

from learndyn._fold_transposes import fold_transposes

for _name, _written_for in (("jax", "0.10.1"), ("neural-tangents", "0.6.5")):
    if importlib.metadata.version(_name) != _written_for:
        raise ImportError(
            f"learndyn.neural_tangents is written for {_name} {_written_for}, but {importlib.metadata.version(_name)} "
            "is installed; install the versions that requirements.lock pins"
        )
if "neural_tangents" in sys.modules:
    raise ImportError(
        "neural_tangents was imported before learndyn.neural_tangents, which must come first; "
        "import it as `from learndyn.neural_tangents import nt, stax` everywhere"
    )


@contextlib.contextmanager
def _lent(namespace: dict, **entries):
    """Entries that a namespace has inside the block only."""
    present = namespace.keys() & entries.keys()
    if present:
        raise ImportError(f"learndyn.neural_tangents would overwrite {sorted(present)}: it must be revised")
    namespace.update(entries)
    try:
        yield
    finally:
        for name in entries:
            del namespace[name]


def _safe_map(function, *sequences):
    return [function(*items) for items in zip(*sequences, strict=True)]  # a list at once: it is called for side effects


# Part 1: where the names are now.
_from_core = {name: getattr(jax.extend.core, name) for name in ("Jaxpr", "JaxprEqn", "Literal", "Primitive", "Var")}
_util = types.ModuleType("jax.util")
_util.safe_map, _util.safe_zip = _safe_map, functools.partial(zip, strict=True)
_no_primitive = jax.extend.core.Primitive("zeros_like")  # jax has none now; it is the key of a rule nobody looks up
# Part 2: an empty module in the place of the one that imports TensorFlow.
_experimental = {"neural_tangents.experimental": types.ModuleType("neural_tangents.experimental")}

with (
    _lent(vars(jax.core), **_from_core),
    _lent(vars(ad), zeros_like_p=_no_primitive),
    _lent(sys.modules, **{"jax.util": _util}, **_experimental),
):
    import neural_tangents as nt
    from neural_tangents import stax
    from neural_tangents._src import empirical as _empirical
    from neural_tangents._src import predict as _predict

del nt.experimental  # so that asking for it is an AttributeError, not an empty module

# Part 3, for `empirical`: what it looks for in `jax.core` and `jax.interpreters.ad` at run time, in vain.
_empirical.core = types.SimpleNamespace(
    ShapedArray=jax.core.ShapedArray,
    DShapedArray=None,  # arrays of dynamic shape have left jax: the type of no value
)
_empirical.ad = types.SimpleNamespace(
    **vars(ad),
    source_info_util=jax.extend.source_info_util,
    config=types.SimpleNamespace(jax_enable_checks=False),  # guards an assertion in functions that jax has dropped
)


def _equation_vjp(equation, cotangent, *operands):
    """Vector-Jacobian product of one linear equation of a jaxpr (``None``: the identity); one part for each operand.

    The original looks rules up in tables of jax, two of which are gone; `jax.linear_transpose` is public.
    """
    if equation is None:
        return (cotangent,)
    unknown = [i for i, operand in enumerate(operands) if ad.is_undefined_primal(operand)]
    parts = [None] * len(operands)

    def apply(*values):
        filled = list(operands)
        for i, value in zip(unknown, values):
            filled[i] = value
        out = equation.primitive.bind(*filled, **equation.primitive.get_bind_params(equation.params))
        return out[0] if equation.primitive.multiple_results else out

    for i, part in zip(unknown, jax.linear_transpose(apply, *(operands[i].aval for i in unknown))(cotangent)):
        parts[i] = part
    return parts


def _primals_out_and_pullback(function, mode, j_rules, s_rules, forward, *primals):
    """Value of ``function`` and its pullback by structured derivatives.

    The original uses `ad.linearize`, whose result has other parts now; `jax.linearize` gives the same linear jaxpr.
    """
    flat, tree = jax.tree_util.tree_flatten(primals)
    with jax.disable_jit():  # as in the original: structured derivatives do not look into calls of jitted functions
        out, tangent_map = jax.linearize(lambda *leaves: function(*tree.unflatten(leaves)), *flat)
        jaxpr = fold_transposes(jax.make_jaxpr(tangent_map)(*flat), *flat)

    def pullback(*cotangents):
        collected = _empirical._backward_pass(
            jaxpr.jaxpr,
            mode=mode,
            consts=jaxpr.consts,
            primals_in=[ad.UndefinedPrimal(variable.aval) for variable in jaxpr.jaxpr.invars],
            cotangents_in=tuple(jax.tree_util.tree_leaves(cotangents)),
            _j_rules=j_rules,
            _s_rules=s_rules,
            _fwd=forward,
        )
        return tree.unflatten(collected)

    return out, pullback


def _flops(function, optimize, *args, **kwargs):
    """FLOPs of a function; the original takes the first of a list, which is now the dictionary itself."""
    lowered = jax.jit(function).lower(*args, **kwargs)
    return (lowered.compile() if optimize else lowered).cost_analysis()["flops"]


_empirical._eqn_vjp_fn = _equation_vjp
_empirical._get_primals_out_and_pullback = _primals_out_and_pullback
_empirical._get_flops = _flops


# Part 3, for `predict`: SciPy has dropped `eigvalsh(eigvals=)`. Only `max_learning_rate` asks this question, and
# only to choose between that call and `jnp.linalg.eigvalsh`.
_predict._is_on_cpu = lambda arrays: False

# `gradient_descent_mse` factorizes the kernel inside `jax.core.eval_context()`, so that a factor of a concrete kernel
# is computed once and not staged into a caller's trace. That context rejects a kernel that is itself traced, which
# must be staged: for it, the same code runs with a context that does nothing.
_concrete_mse = _predict.gradient_descent_mse
_core = types.SimpleNamespace(eval_context=contextlib.nullcontext)
_no_context = types.SimpleNamespace(**vars(jax) | {"core": _core})
_traced_mse = types.FunctionType(
    _concrete_mse.__code__, vars(_predict) | {"jax": _no_context}, "gradient_descent_mse", _concrete_mse.__defaults__
)


@functools.wraps(_concrete_mse)
def _gradient_descent_mse(k_train_train, *args, **kwargs):
    traced = isinstance(k_train_train, jax.core.Tracer)
    return (_traced_mse if traced else _concrete_mse)(k_train_train, *args, **kwargs)


_predict.gradient_descent_mse = nt.predict.gradient_descent_mse = _gradient_descent_mse
