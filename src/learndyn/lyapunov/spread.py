"""Thousands of systems at once: blocks of a fixed size, shared out to the devices."""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from learndyn import _require as require


def spread(
    function: Callable[[PyTree], PyTree], *, devices: Sequence[jax.Device] | None = None, chunk: int = 128
) -> Callable[[PyTree], PyTree]:
    """`function` of one system as a function of many: a leading axis on every leaf, sharded over devices.

    Systems are worked off in blocks of `chunk`, each as `jax.vmap(function)`: so memory stays small and in the cache, and
    the compiled code, hence every bit of the result, does not depend on how many devices there are. The cores of a
    processor count as devices after `jax.config.update("jax_num_cpu_devices", 2)` before anything is computed.

    Args:
      function: of a pytree of arrays to a pytree of arrays, such as `lambda x: spectrum(step, x, 1000).exponents`.
      devices: by default all there are.
      chunk: systems in a block. The last block is filled up with copies.

    Returns:
      A function of a pytree whose leaves have one leading axis, of any length. It is compiled once for a shape.

    Raises:
      ValueError, TypeError: for bad arguments; when called, for leaves without a common leading axis.
    """
    require.callable_("function", function)
    return spread_blocks(jax.vmap(function), devices, chunk)


def spread_blocks(block: Callable, devices, chunk: int) -> Callable:
    """The same, for a function that takes a whole block; further arguments are the same for all systems."""
    require.positive_integer("chunk", chunk)
    devices = jax.devices() if devices is None else devices
    require.sequence("devices", devices)
    devices = tuple(devices)
    if not devices or not all(isinstance(device, jax.Device) for device in devices):
        raise ValueError(f"devices must be at least one device, as jax.devices() lists them, but is {devices}")
    mesh = Mesh(np.array(devices), ("systems",))
    shard, same = PartitionSpec("systems"), PartitionSpec()

    @functools.partial(jax.jit, static_argnums=0)
    def run(blocks, systems, *shared):
        def on_one_device(systems, *shared):
            fold = lambda leaf: leaf.reshape(blocks, chunk, *leaf.shape[1:])
            out = jax.lax.map(lambda part: block(part, *shared), jax.tree.map(fold, systems))
            return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), out)

        specs = (shard, *[same] * len(shared))
        return jax.shard_map(on_one_device, mesh=mesh, in_specs=specs, out_specs=shard, check_vma=False)(systems, *shared)

    def call(systems, *shared):
        sizes = {jnp.shape(leaf)[:1] for leaf in jax.tree.leaves(systems)}
        if len(sizes) != 1 or sizes in ({()}, {(0,)}):
            shapes = jax.tree.map(jnp.shape, systems)
            raise ValueError(f"systems must have one leading axis, the same on every leaf, but has shapes {shapes}")
        ((size,),) = sizes
        blocks = -(-size // (chunk * len(devices)))
        padding = blocks * chunk * len(devices) - size
        pad = lambda leaf: jnp.concatenate([leaf, jnp.repeat(leaf[-1:], padding, axis=0)]) if padding else leaf
        systems = jax.tree.map(pad, jax.tree.map(jnp.asarray, systems))
        systems = jax.device_put(systems, NamedSharding(mesh, shard))
        shared = jax.device_put(shared, NamedSharding(mesh, same))
        out = run(blocks, systems, *shared)
        return jax.tree.map(lambda leaf: leaf[:size], out) if padding else out

    return call
