"""Ensembles: many networks descend together, as one batched computation."""

import functools
import os
import time
import warnings
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, PyTree

from learndyn import _checkpoint as checkpoints
from learndyn import _require as require
from learndyn._progress import Countdown
from learndyn._step import one_step
from learndyn.flows import Trajectory

# What backpropagation remembers of one chunk should stay in the last cache of a processor. An accelerator has no
# such cache and wants large products.
WORKING_SET = {"cpu": 12 << 20, "other": 1 << 30}
BLOCK_SECONDS = 0.5  # how long the compiled loop runs before Python looks again


def descend(
    loss: Callable[..., Float[Array, ""]],
    params0: PyTree,
    learning_rates: Float[Array, "E"],
    times: Sequence[int],
    *,
    members: PyTree | None = None,
    observe: Callable[..., PyTree] | None = None,
    optimizer: Callable[[Float[Array, ""]], optax.GradientTransformation] = optax.sgd,
    chunk: int | None = None,
    progress: bool = False,
    checkpoint: str | os.PathLike | None = None,
) -> Trajectory:
    r"""$\theta^e_{k+1} = \theta^e_k - \eta_e \nabla L(\theta^e_k)$ for all members $e$ of an ensemble at once.

    Each member makes the steps that `learndyn.descent.descend` makes with `optimizer(learning_rates[e])`; only the
    order in which a sum is rounded may differ. Data that the loss closes over are shared by all members, and products
    with them become one large product for the whole chunk: for a layer X @ W.T, (n, d) times (d, chunk * m).

    Members go chunk by chunk through all their steps, so that memory is bounded by one chunk, besides the parameters
    of all members, which stay in the host's memory. A chunk is spread over all devices along its members, as
    `jax.sharding` does it; with one device that is no spreading, and there is no second path.

    Args:
      loss: $L$, a scalar function of one member's parameters; with `members`, of the parameters and of the
        member's own entry, `loss(params, member)`.
      params0: the initial parameters, each leaf with a leading axis of length E.
      learning_rates: $\eta_e$, positive.
      times: step numbers at which something is observed, increasing from 0 or later; the last one is the end.
      members: what else differs between the members (a teacher, a weight decay), leaves with a leading axis of E.
      observe: a function of the arguments of `loss`, evaluated at `times` for each member; by default the loss. It is
        applied to a whole chunk at once, like the loss.
      optimizer: makes an optax transformation of a learning rate, such as `optax.sgd` or
        `lambda rate: optax.adamw(rate, weight_decay=1.0)`.
      chunk: how many members descend at a time; by default as many as the processor's cache holds.
      progress: say on standard error, once a second, how far the work has come and how long it will take.
      checkpoint: a file. It is written about once a minute, and at the end, by replacing it as a whole; when it is
        there, the work goes on from it, to the same bits. It stays when the work is done.

    Returns:
      `Trajectory` on the host: observed leaves (T, E, ...), params (E, ...), and stats `state` (the optimizers'
      states), `finite` (E,), False for members whose loss or parameters stopped being finite, and `diverged`, their
      number. A member that diverges has non-finite numbers from then on and touches no other; a warning tells how
      many there are.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing, and for a checkpoint of another problem.
    """
    rates, times, members = _check(loss, params0, learning_rates, times, members, observe, optimizer, chunk, checkpoint)
    observe = loss if observe is None else observe
    begin, advance, look = _compiled(loss, observe, optimizer)
    count, devices = rates.shape[0], jax.devices()
    if chunk is None:
        chunk = _fitting(loss, params0, members, count)
    chunks = -(-count // chunk)
    chunk = -(-count // (chunks * len(devices))) * len(devices)  # chunks of equal size, a multiple of the devices
    spread = NamedSharding(Mesh(np.array(devices), ("members",)), PartitionSpec("members"))

    def load(tree, first):  # a short last chunk is filled up with copies of its first member
        index = np.where(np.arange(first, first + chunk) < count, np.arange(first, first + chunk), first)
        return jax.tree.map(lambda leaf: jax.device_put(np.asarray(leaf)[index], spread), tree)

    def store(whole, part, first):
        for all_of_it, some in zip(jax.tree.leaves(whole), jax.tree.leaves(part)):
            all_of_it[first : first + chunk] = np.asarray(some)[: count - first]

    one = jax.eval_shape(begin, params0, rates)
    seen = jax.eval_shape(look, params0, members)
    work = {
        "carry": jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), one),
        "observed": jax.tree.map(lambda leaf: np.zeros((len(times), *leaf.shape), leaf.dtype), seen),
        "place": np.array([0, 0, 0, chunk]),  # first member of the chunk at work, its steps, its next time, its size
    }
    file = checkpoints.Checkpoint(
        checkpoint, work, lambda: _identity(loss, observe, optimizer, params0, rates, members, times)
    )
    file.recall()
    first, steps, moment, old_chunk = map(int, work["place"])
    if old_chunk != chunk:  # another machine, perhaps: the chunk that was at work begins again
        steps, moment = 0, 0
    report, total = Countdown("ensembles", "member-steps"), count * times[-1]
    report.begin(min(first, count) * times[-1] + min(chunk, count - first) * steps)

    while first < count:
        mine, own_rates = load(members, first), load(rates, first)
        carry = load(work["carry"], first) if steps or moment else begin(load(params0, first), own_rates)
        block = 1
        while moment < len(times):
            while steps < times[moment]:
                began = time.monotonic()
                stride = min(block, times[moment] - steps)
                carry = jax.block_until_ready(advance(carry, own_rates, mine, stride))
                steps += stride
                if stride == block and time.monotonic() - began < BLOCK_SECONDS / 2:
                    block *= 2
                if progress:
                    report(min(chunk, count - first) * steps + first * times[-1], total)
                if file.due():
                    store(work["carry"], carry, first)
                    work["place"][:] = first, steps, moment, chunk
                    file.save()
            store(jax.tree.map(lambda leaf: leaf[moment], work["observed"]), look(carry[0], mine), first)
            moment += 1
        store(work["carry"], carry, first)
        first, steps, moment = first + chunk, 0, 0
    if first > work["place"][0]:
        work["place"][:] = first, 0, 0, chunk
        file.save()

    params, state, finite = work["carry"]
    finite = finite & _finite(params)
    diverged = int(np.sum(~finite))
    if diverged:
        warnings.warn(
            f"{diverged} of {count} members diverged, the first of them member {int(np.argmin(finite))}; the learning "
            "rate is too high for their loss, and what is observed of them is not finite",
            RuntimeWarning,
            stacklevel=2,
        )
    return Trajectory(
        np.asarray(times, dtype=float), work["observed"], params,
        {"state": state, "finite": finite, "diverged": diverged},
    )  # fmt: skip


# The most recent few are kept, not all: a loss holds its data.
@functools.lru_cache(maxsize=8)
def _compiled(loss, observe, optimizer):
    def begin(params, rates):
        state = jax.vmap(lambda p, rate: optimizer(rate).init(p))(params, rates)
        return params, state, jnp.ones(rates.shape, dtype=bool)

    step = functools.partial(_step, loss, optimizer)

    # The number of steps is an argument of the program and not a part of it: one compilation for all strides.
    def advance(carry, rates, members, steps):
        return jax.lax.fori_loop(0, steps, lambda _, c: jax.vmap(step)(*c, rates, members), carry)

    def look(params, members):
        return jax.vmap(lambda p, member: jax.tree.map(jnp.asarray, observe(p, *_given(member))))(params, members)

    return jax.jit(begin), jax.jit(advance), jax.jit(look)


def _step(loss, optimizer, params, state, finite, rate, member):
    """One step of one member."""
    return one_step(lambda p: loss(p, *_given(member)), optimizer(rate), params, state, finite)


def _given(member):
    """The second argument of a loss, where there is one."""
    return () if member is None else (member,)


def _fitting(loss, params0, members, count):
    """How many members' memories of the forward pass fit into the cache."""

    def remembered(several):  # bytes that backpropagation keeps for so many members, shared data counted once
        some = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((several, *leaf.shape[1:]), leaf.dtype), (params0, members))
        total = lambda p, m: jnp.sum(jax.vmap(lambda p, m: loss(p, *_given(m)))(p, m))
        kept = jax.eval_shape(lambda p, m: jax.vjp(lambda q: total(q, m), p)[1], *some)
        return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(kept))

    room = WORKING_SET["cpu" if jax.default_backend() == "cpu" else "other"]
    return max(1, min(count, room // max(1, remembered(3) - remembered(2))))


def _finite(params):
    """(E,): whether all parameters of a member are finite."""
    return np.all([np.isfinite(leaf).reshape(leaf.shape[0], -1).all(axis=1) for leaf in jax.tree.leaves(params)], axis=0)


def _identity(loss, observe, optimizer, params0, rates, members, times):
    """What makes a problem this problem and not another."""

    def program(params, rate, member):
        return _step(loss, optimizer, params, optimizer(rate).init(params), True, rate, member), observe(
            params, *_given(member)
        )

    one = jax.tree.map(lambda leaf: jnp.asarray(leaf)[0], (params0, rates, members))
    code, data = checkpoints.program_digests(program, *one)
    return {
        "params0": checkpoints.digest(params0),
        "learning_rates": checkpoints.digest(rates),
        "members": checkpoints.digest(members),
        "times": checkpoints.digest(np.asarray(times)),
        "loss, observe, or optimizer": code,
        "data of loss or observe": data,
    }


def _check(loss, params0, learning_rates, times, members, observe, optimizer, chunk, checkpoint):
    require.callable_("loss", loss)
    require.array("learning_rates", learning_rates, ndim=1)
    count = learning_rates.shape[0]
    if not count:
        raise ValueError("learning_rates must hold one rate for each member, but is empty")
    if isinstance(learning_rates, jax.core.Tracer):
        raise TypeError("learning_rates must be numbers, but is traced: an ensemble is its own batch, call it outside jit")
    rates = np.asarray(learning_rates)
    if not (rates > 0).all():
        raise ValueError(f"learning_rates must be positive, but the smallest is {rates.min()!r}")
    for name, tree in (("params0", params0), ("members", members)):
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            if jnp.shape(leaf)[:1] != (count,):
                raise ValueError(
                    f"{name}{jax.tree_util.keystr(path)} must have a leading axis of {count}, one for each learning rate, "
                    f"but has shape {jnp.shape(leaf)}"
                )
    require.finite("members", members)
    require.sequence("times", times)
    times = [int(moment) if isinstance(moment, np.integer) else moment for moment in np.asarray(times).tolist()]
    for i, moment in enumerate(times):
        require.count(f"times[{i}]", moment)
    if not times or times != sorted(set(times)) or times[-1] < 1:
        raise ValueError(f"times must be step numbers that increase and end at 1 or later, but is {times}")
    members = jax.tree.map(np.asarray, members)
    one = jax.tree.map(lambda leaf: jnp.asarray(leaf)[0], (params0, members))
    require.finite("params0", params0)
    require.loss(lambda p: loss(p, *_given(one[1])), one[0])
    if observe is not None:
        require.callable_("observe", observe)
        require.static("observe", observe)
    require.callable_("optimizer", optimizer)
    if not hasattr(made := optimizer(float(rates[0])), "update"):
        raise TypeError(f"optimizer must make an optax gradient transformation of a rate, but makes {made!r}")
    for name, function in (("loss", loss), ("optimizer", optimizer)):
        require.static(name, function)
    if chunk is not None:
        require.positive_integer("chunk", chunk)
    if checkpoint is not None:
        checkpoints.require_path(checkpoint)
    dtype = jnp.result_type(*jax.tree.leaves(params0))
    return rates.astype(dtype), times, members
