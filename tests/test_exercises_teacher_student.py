"""Each check accepts a right answer and tells typical wrong ones apart, by the property that they violate."""

import jax.numpy as jnp
import pytest

from learndyn.exercises import teacher_student as check


def relative_change(theta0, y, degree):
    return (1 + y / theta0**degree) ** ((degree - 1) / degree) - 1


def two_dials(alpha, degree):
    return alpha ** (1 / degree), alpha ** (2 / degree)


def alignment(W, a, U):
    length = jnp.linalg.norm(W, axis=1)
    share = jnp.abs(a) * length
    return jnp.sum(share * jnp.max(W @ U.T, axis=1) / length) / jnp.sum(share)


def unweighted(W, a, U):
    return jnp.mean(jnp.max(W @ U.T, axis=1) / jnp.linalg.norm(W, axis=1))


def readout_only(W, a, U):
    return jnp.sum(jnp.abs(a) * jnp.max(W @ U.T, axis=1) / jnp.linalg.norm(W, axis=1)) / jnp.sum(jnp.abs(a))


@pytest.mark.parametrize("checked, answer", [
    (check.check_relative_change, relative_change),
    (check.check_two_dials, two_dials),
    (check.check_alignment, alignment),
])
def test_right_answers_pass(checked, answer, capsys):
    assert checked(answer) is None
    assert capsys.readouterr().out.startswith(checked.__name__)


@pytest.mark.parametrize("answer, violated", [
    (lambda theta0, y, degree: y / theta0**degree, "a linear model"),  # the change of f, not of f'
    (lambda theta0, y, degree: (degree - 1) / degree * y / theta0**degree, "what descent does"),  # its lazy limit
    (lambda theta0, y, degree: (y + theta0**degree) ** ((degree - 1) / degree) - 1, "what descent does"),  # not relative
])
def test_wrong_relative_changes(answer, violated):
    with pytest.raises(AssertionError, match=violated):
        check.check_relative_change(answer)


def test_the_lazy_limit_is_looked_at():
    def wrong_far_away(theta0, y, degree):
        return relative_change(theta0, y, degree) * (1 if theta0 < 10 else theta0)

    with pytest.raises(AssertionError, match="laziness"):
        check.check_relative_change(wrong_far_away)


@pytest.mark.parametrize("answer, violated", [
    (lambda alpha, degree: (2.0, 1.0), "alpha = 1"),
    (lambda alpha, degree: (alpha, alpha), "at the start"),
    (lambda alpha, degree: (alpha ** (1 / degree), 1.0), "velocity of layer"),  # time forgotten
    (lambda alpha, degree: (alpha ** (1 / degree), alpha**2), "velocity of layer"),  # the lazy clock
])
def test_wrong_dials(answer, violated):
    with pytest.raises(AssertionError, match=violated):
        check.check_two_dials(answer)


@pytest.mark.parametrize("answer, violated", [
    (lambda W, a, U: jnp.max(W @ U.T), "its teacher"),
    (unweighted, "dead"),
    (readout_only, "rescaled"),
    (lambda W, a, U: alignment(W, a, U[:1]), "its teacher"),
    (lambda W, a, U: alignment(W, jnp.maximum(a, 0), U), "shares"),
    (lambda W, a, U: alignment(W, a, jnp.concatenate([U, -U])), "shares"),  # nearest line, not direction
])
def test_wrong_alignments(answer, violated):
    with pytest.raises(AssertionError, match=violated):
        check.check_alignment(answer)
