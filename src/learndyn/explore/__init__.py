"""Figures that a reader can move: one JAX function, live in a notebook, on a page without a kernel, and in print.

    def simulate(rate):
        t = jnp.linspace(0.0, 5.0, 101)
        return {"t": t, "loss": jnp.exp(-2 * rate * t)}

    explore(simulate, line("loss", x="t", log="y", xlabel="time $t$"), rate=Slider(0.1, 10, 1, log=True, label=r"$\\lambda$"),
            alt="The loss decays exponentially, the faster the larger the rate.")

In a kernel JAX computes and a widget shows the figure. On a page of the book the function, compiled to JavaScript by
`learndyn.javascript`, runs in the reader's browser. In print there is a picture. `Figure.save` writes a page that
opens by a double click.
"""

from learndyn.explore.controls import Choice, Slider
from learndyn.explore.figure import Figure, explore
from learndyn.explore.grid import Grid
from learndyn.explore.panels import bars, heat, line, scatter
from learndyn.explore.plane import lattice, phase

__all__ = ["explore", "line", "phase", "bars", "scatter", "heat", "lattice", "Slider", "Choice", "Grid", "Figure"]
