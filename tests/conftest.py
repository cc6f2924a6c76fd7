"""The one place where the tests set global configuration."""

import jax
from jaxtyping import install_import_hook

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")  # (n,) against (n, 1) is a bug, not a convenience

# Every call in the tests checks the shapes that the signatures state.
install_import_hook("learndyn", "beartype.beartype")
