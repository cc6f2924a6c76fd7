"""The ledger says what the outputs say, and the registry is whole."""

import re

import nbformat
import pytest
import yaml
from minibook import CLAIM, REPOSITORY, RESULTS
from nbclient import NotebookClient

from book._ext import ledger
from learndyn.claims import MIME

REGISTRY = yaml.safe_load((REPOSITORY / "book" / "results.yml").read_text(encoding="utf8"))
COUNTS = {"N": 7, "R": 11, "C": 5, "S": 12, "E": 7, "L": 5, "T": 8}


def test_registry_has_every_result_in_order():
    assert list(REGISTRY["results"]) == [f"{letter}{i}" for letter, n in COUNTS.items() for i in range(1, n + 1)]


@pytest.mark.parametrize("name", REGISTRY["results"])
def test_registry_entry_is_whole(name):
    result = REGISTRY["results"][name]
    assert set(result) == {"part", "statement", "sources", "provenance"}
    assert result["part"] in REGISTRY["parts"]
    assert result["statement"].strip() and not result["statement"].endswith(".")
    assert result["provenance"] and set(result["provenance"]) <= set(ledger.PROVENANCE)


def test_sources_of_the_registry_are_in_the_bibliography():
    keys = set(re.findall(r"@\w+\{([^,]+),", (REPOSITORY / "book" / "references.bib").read_text(encoding="utf8")))
    assert {source for result in REGISTRY["results"].values() for source in result["sources"]} <= keys


def claim(id="N1", status="reproduced", **facts):
    return {"id": id, "status": status, "chapter": "book/one", "source": "jacot2018", **facts}


def test_status_of_a_result_is_its_weakest_claim():
    assert ledger.status([]) == "not yet"
    assert ledger.status([claim()]) == "reproduced"
    assert ledger.status([claim(), claim(status="in kind")]) == "in kind"
    assert ledger.status([claim(status="not reproduced")]) == "not reproduced"
    assert ledger.status([claim(status="not reproduced"), claim()]) == "reproduced in part"
    assert ledger.status([claim(status="in kind"), claim(status="not reproduced")]) == "reproduced in part"


def registry(written):
    return yaml.safe_load(RESULTS.replace("false", str(written).lower()))


def test_a_written_part_owes_a_claim_about_each_result():
    assert list(ledger.faults(registry(True), [claim()], {"jacot2018"})) == []
    assert list(ledger.faults(registry(False), [], {"jacot2018"})) == []
    (fault,) = ledger.faults(registry(True), [], {"jacot2018"})
    assert fault == (None, "no chapter makes a claim about N1, though part 'first' is said to be written")


def test_a_claim_about_nothing_is_a_fault():
    faults = list(ledger.faults(registry(False), [claim("N9")], {"jacot2018"}))
    assert faults == [("book/one", "claim 'N9' is not a result of book/results.yml")]


def test_a_claim_from_an_unknown_source_is_a_fault():
    faults = list(ledger.faults(registry(False), [claim()], {"other"}))
    assert faults == [("book/one", "claim 'N1' names the source 'jacot2018', which book/references.bib has not")]


def execute():
    cells = [CLAIM, "import jax\nx = jax.random.normal(jax.random.key(0), (500, 500))\n"
             "claim('N1', 'a sum', measured=(x @ x).sum(), above=-1e9, source='jacot2018', kind='derived')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return ledger.records(notebook)


def test_two_runs_make_the_same_claims():
    first, second = execute(), execute()
    assert len(first) == 2 and {"id", "statement", "source", "kind", "expected", "measured", "status"} <= set(first[0])
    for record in first + second:
        assert record.pop("seconds") >= 0
    assert first == second


def test_a_record_stands_beside_a_line_that_can_be_read():
    cells = [nbformat.v4.new_code_cell(CLAIM)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (output,) = cells[0].outputs
    assert set(output["data"]) == {"text/html", "text/plain", MIME}
