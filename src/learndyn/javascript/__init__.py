"""JavaScript from JAX: `compile_to_js` turns a function into a program that every browser runs, with no library.

The way of a function through the compiler, a module a step:

1. `compiler`: JAX traces the function into a jaxpr, a list of equations between arrays of known shape, in which
   derivatives and `vmap` are carried out already. Calls are inlined, what is known is computed, what nobody needs is
   dropped, and then one rule a primitive says what value its result is and writes the statements that make it.
2. `values`: an array is not always memory. A small one is a handful of JavaScript variables, a large one a typed array,
   a transposed or a summed one a function of the position, a known one a table or a formula.
3. `elementwise`, `structure`, `reductions`, `control`: the rules; `rewrites`: primitives that JAX says in simpler ones;
   `program`: statements, loops, buffers; `library`: the JavaScript functions that programs call.
"""
from learndyn.javascript import control, elementwise, reductions, rewrites, structure  # the rules register themselves
from learndyn.javascript.compiler import Unsupported, compile_to_js

__all__ = ["Unsupported", "compile_to_js"]
