"""JavaScript from JAX: `compile_to_js` turns a function into a program that any browser runs, with no library.

The way of a function through the compiler, each step a module:

1. `compiler`: JAX traces the function into a jaxpr, a list of equations between arrays of known shape; derivatives,
   `vmap`, and random numbers from constant keys are already carried out in it. Calls are inlined, what is known is
   computed, what nobody needs is dropped.
2. `values`: an array is not always memory. A small one is a handful of JavaScript variables, a large one a typed
   array, a transposed or summed one a function of the index, a known one a table or a formula.
3. `elementwise`, `shapes`, `indexing`, `reductions`, `control`, `linear_algebra`: one rule a primitive says which
   value its output is, and which statements make it.
4. `program`: the statements, in loops, over buffers that are made once.
"""

from learndyn.javascript import control, elementwise, indexing, reductions, shapes
from learndyn.javascript.compiler import Unsupported, compile_to_js, rules

__all__ = ["Unsupported", "compile_to_js", "rules"]
