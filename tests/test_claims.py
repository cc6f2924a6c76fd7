"""Claims fail when they should, say what they know, and refuse what cannot be judged."""

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from learndyn import claims
from learndyn.claims import ClaimFailed, claim

GOOD = dict(measured=1e-9, below=1e-8, source="jacot2018", kind="derived")


def given(**changes):
    arguments = {"id": "N1", "statement": "outputs follow the kernel", **GOOD, **changes}
    return {name: value for name, value in arguments.items() if value is not None}


def make(**changes):
    arguments = given(**changes)
    claim(arguments.pop("id"), arguments.pop("statement"), **arguments)


HOLD = [dict(below=1e-8), dict(above=1e-10), dict(equals=2e-9, within=1e-9), dict(between=(0, 1)), dict(between=(1e-9, 1))]
FAIL = [dict(below=1e-9), dict(above=1e-9), dict(equals=2e-9, within=9e-10), dict(between=(2e-9, 1)), dict(between=(-1, 0))]


@pytest.mark.parametrize("bound", HOLD, ids=str)
def test_holds(bound, capsys):
    make(**{"below": None, **bound})
    printed = capsys.readouterr().out
    assert printed.startswith("reproduced: N1 outputs follow the kernel [jacot2018, derived here]")
    assert "measured 1×10⁻⁹" in printed


@pytest.mark.parametrize("bound", FAIL, ids=str)
def test_fails_with_everything_in_the_message(bound):
    with pytest.raises(ClaimFailed, match=r"does not hold: N1 outputs .*jacot2018.*expected .*measured 1×10⁻⁹"):
        make(**{"below": None, **bound})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("negative", [{}, dict(reproduced=False, because="it differs")])
def test_what_is_not_finite_fails_every_claim(value, negative):
    with pytest.raises(ClaimFailed, match="measured must be finite"):
        make(measured=value, **negative)


def test_negative_result_says_why(capsys):
    make(measured=1.0, reproduced=False, because="the task differs")
    assert capsys.readouterr().out.startswith("not reproduced, because the task differs: N1")


def test_negative_result_that_holds_after_all_fails():
    with pytest.raises(ClaimFailed, match=r"said not to be reproduced \(the task differs\), but it holds now"):
        make(reproduced=False, because="the task differs")


def test_in_kind_is_never_called_reproduced(capsys):
    make(kind="in kind")
    assert capsys.readouterr().out.startswith("in kind: N1")


def bundle(**changes):
    arguments = dict.fromkeys(["below", "above", "equals", "within", "between", "because"]) | {"reproduced": True}
    return claims._judge(**{**arguments, **given(**changes)})._repr_mimebundle_()


def test_record_is_beside_the_line():
    record = bundle()[claims.MIME]
    assert record["holds"] and record["status"] == "reproduced" and record["measured"] == 1e-9
    assert {"id", "statement", "source", "kind", "expected", "because", "seconds"} <= set(record)


def test_line_is_escaped_and_its_verdict_a_word():
    line = bundle(statement="a < b & <script>")["text/html"]
    assert "a &lt; b &amp; &lt;script&gt;" in line and "<script>" not in line
    assert "reproduced" in line and "color:" not in line
    assert "FAILED" in bundle(measured=1.0)["text/html"]


def test_in_a_cell_seconds_count_from_its_beginning_and_failure_shows():
    shell = InteractiveShell.instance()
    try:
        shell.events.register("pre_run_cell", claims._cell_begins)  # what importing it in a kernel does
        shell.run_cell("import learndyn.claims as c")
        shell.run_cell("import time; time.sleep(0.3)")
        cell = "import time; time.sleep(0.1)\nseen = c._seconds()"
        shell.run_cell(cell)
        assert 0.1 <= shell.user_ns["seen"] < 0.3
        failed = shell.run_cell("c.claim('N1', 'x', measured=2, below=1, source='jacot2018', kind='derived')")
        assert type(failed.error_in_exec).__name__ == "ClaimFailed"
    finally:
        InteractiveShell.clear_instance()
