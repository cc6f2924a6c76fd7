"""The picture for print: small, on white, the same in every run, and true."""

import io

import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
from figures_to_test import SQUARE, decay, every_panel, one_curve, saddle
from PIL import Image

from learndyn.explore import Choice, Slider, _picture, bars, explore, heat, line, phase, scatter


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(figure.picture)).convert("RGB")).astype(int)


def near(image, color, tolerance=40):
    """Where the picture has about this color."""
    wanted = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return np.abs(image - wanted).sum(axis=-1) < tolerance


def shown(simulate, *panels, **settings):
    return explore(simulate, *panels, **{"rate": Slider(0.1, 2, 1), "alt": "A figure."} | settings)


def test_all_kinds_in_30_kilobytes_on_white():
    picture = every_panel().picture
    assert picture.startswith(b"\x89PNG") and len(picture) <= 30_000
    image = pixels(every_panel())
    assert (image[:3] == 255).all() and (image == 255).all(axis=-1).mean() > 0.4
    assert 500 < image.shape[1] < 800


def test_every_run_makes_the_same_bytes_whatever_the_style():
    before = every_panel().picture
    with mpl.rc_context({"lines.linewidth": 9, "figure.facecolor": "red", "savefig.transparent": True}):
        assert every_panel().picture == before
    assert one_curve().picture == one_curve().picture


def test_the_global_style_stays():
    before = dict(mpl.rcParams)
    one_curve().picture
    assert dict(mpl.rcParams) == before


def test_another_curve_is_another_picture():
    assert one_curve().picture != one_curve(rate=Slider(0.1, 2.0, 0.5)).picture


def test_a_curve_is_where_it_should_be():
    """A diagonal from the lower left to the upper right, in the first color of the book."""
    figure = shown(lambda rate: {"y": rate * jnp.arange(5.0)}, line("y", xlim=(0, 4), ylim=(0, 4)))
    rows, columns = np.nonzero(near(pixels(figure), "#0072B2"))
    assert len(rows) > 100 and np.corrcoef(rows, columns)[0, 1] < -0.99


@pytest.mark.parametrize(("ylim", "top"), [(None, True), ((0, 1), False)])
def test_a_matrix_is_shown_as_it_is_written_and_a_map_from_below(ylim, top):
    figure = shown(lambda rate: {"m": rate * jnp.array([[1.0, 1.0], [0.0, 0.0]])}, heat("m", xlim=(0, 1) if ylim else None, ylim=ylim))
    image = pixels(figure)
    dark = near(image, "#08306b")  # the last color of the page, too
    matrix = dark[:, : image.shape[1] // 2]  # without the color bar
    assert matrix.sum() > 1000
    assert (np.nonzero(matrix)[0].mean() < image.shape[0] / 2) == top


def test_diverging_runs_leave_gaps_and_no_warning():
    def broken(rate):
        bad = jnp.array([1.0, jnp.nan, jnp.inf, -jnp.inf, 1e300, 0.0]) * rate
        return {"y": bad, "nan": bad * jnp.nan, "path": jnp.stack([bad, bad], -1), "m": jnp.outer(bad, bad)[:, :3], "at": jnp.inf * rate,
                "flow": jnp.full((3, 3, 2), jnp.nan) * rate, "still": jnp.zeros((3, 3, 2)) * rate}  # fmt: skip

    plane = {"xlim": SQUARE, "ylim": SQUARE, "nullclines": True}
    figure = shown(broken, line("y", log="y", vertical={"at": "never"}), line("nan"), line("nan", log="xy"), bars("y"), bars("nan", log="y"),
                   scatter("y", log="x"), heat("m"), phase("path", field="flow", **plane), phase(field="still", **plane),
                   summary="{at}")  # fmt: skip
    assert len(figure.picture) <= 30_000


def test_tex_that_matplotlib_cannot_read_becomes_plain_letters():
    tex = r"$\operatorname{tr}A \implies \mathbin{x}$"
    with pytest.raises(ValueError):
        _picture._painters.MathTextParser("path").parse(tex)
    figure = shown(decay, line("loss", xlabel=tex, title=r"costs \$5"), summary="costs 5 dollars")
    assert len(figure.picture) <= 30_000


def test_many_trajectories_have_one_color():
    figure = shown(lambda rate: {"p": rate * jnp.linspace(-1, 1, 80).reshape(10, 4, 2)}, phase("p", xlim=SQUARE, ylim=SQUARE))
    image = pixels(figure)
    assert near(image, "#0072B2").sum() > 20 and near(image, "#D55E00").sum() == 0


def test_a_picture_that_cannot_be_small_says_so(monkeypatch):
    monkeypatch.setattr(_picture, "LIMIT", 1000)
    with pytest.raises(ValueError, match="picture of a figure must take at most 1000 bytes, but takes [0-9]+; draw fewer"):
        one_curve().picture


def test_the_picture_stands_at_the_first_settings():
    controls = {"fast": Slider(0.1, 10, 1), "slow": Slider(0, 1, 0.2), "r1": Slider(-2, 2, 1), "r2": Slider(-2, 2, 0.5)}
    made = [explore(saddle, line("loss"), heat("kernel"), alt="A.", which=Choice(("a", "b"), value), **controls, summary=None)
            for value in ("a", "b")]  # fmt: skip
    assert made[0].picture == made[1].picture  # what is drawn does not depend on the choice
