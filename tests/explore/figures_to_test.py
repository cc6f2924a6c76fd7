"""Figures that several tests look at."""

import jax.numpy as jnp

from learndyn.explore import Choice, Slider, bars, explore, heat, lattice, line, phase, scatter

SQUARE = (-2.0, 2.0)


def saddle(fast, slow, r1, r2, which):
    """A linear flow with all shapes that panels draw."""
    t = jnp.linspace(0.0, 5.0, 41)
    path = jnp.stack([r1 * jnp.exp(-fast * t), r2 * jnp.exp(-slow * t)], axis=-1)
    grid = lattice(SQUARE, SQUARE, 7)
    rates = jnp.stack([fast, slow])
    return {
        "t": t, "loss": 0.5 * jnp.sum(path**2, axis=-1), "path": path, "flow": -grid @ jnp.diag(rates), "modes": jnp.abs(path),
        "height": grid**2 @ rates, "rates": rates, "half_life": jnp.log(2.0) / slow,
        "verdict": jnp.where(slow > 0, 0, 1), "kernel": jnp.outer(rates, rates), "side": which, "end": path[-1],
    }  # fmt: skip


def every_panel(**changed):
    """One figure with each kind of panel and of control."""
    settings = {
        "fast": Slider(0.1, 10, 1.0, log=True, label=r"$\lambda_1$"), "slow": Slider(0, 1, 0.2), "r1": Slider(-2, 2, 1.0),
        "r2": Slider(-2, 2, 0.5), "which": Choice(("left", "right"), "right"), "play": "fast",
        "summary": "Half-life {half_life:.2f}, {which}, rate {fast:.3g}: a {verdict}.", "words": {"verdict": ("sink", "plateau")},
        "alt": "A trajectory in the plane, and its loss.",
    }  # fmt: skip
    return explore(
        saddle,
        phase("path", field="flow", drag=("r1", "r2"), nullclines=True, levels={"height": (0.5, 1)}, points=("end",),
              notes={"here": (1, 1)}, xlim=SQUARE, ylim=SQUARE, xlabel="$r_1$", ylabel="$r_2$"),
        line("loss", "modes", x="t", log="y", labels=("loss", "$m_1$", "$m_2$"), vertical={"half_life": "half-life"},
             horizontal={0.1: ""}, xlabel="time $t$", ylabel=r"loss $\mathcal{L}$"),
        bars("rates", horizontal={"rates": ""}), scatter("modes", x="t"), heat("kernel", title="Kernel", center=0),
        **settings | changed,
    )  # fmt: skip


def decay(rate):
    t = jnp.linspace(0.0, 5.0, 21)
    return {"t": t, "loss": jnp.exp(-rate * t)}


def one_curve(**changed):
    """The smallest figure."""
    settings = {"rate": Slider(0.1, 2.0, 1.0), "alt": "A curve decays."}
    return explore(decay, line("loss", x="t"), **settings | changed)
