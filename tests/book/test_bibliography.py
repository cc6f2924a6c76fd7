"""Every source can be found: it has a DOI or an arXiv number, well formed, or the bibliography says why it has neither."""

import re

import pytest
from minibook import REPOSITORY
from pybtex.database import parse_file, parse_string

FILE = REPOSITORY / "book" / "references.bib"
DOI = re.compile(r"10\.\d{4,9}/\S+")
ARXIV = re.compile(r"(\d{2})(\d{2})\.(\d{4,5})")
EXCUSE = re.compile(r"^% (\w+) has no identifier: (.+)$", re.MULTILINE)
# What else leads a reader to a source that has neither.
OTHER = {"url", "isbn", "pages"}


def faults(entries, excuses):
    """What keeps a reader from finding the sources: `(key, message)`."""
    for key, entry in entries.items():
        fields = entry.fields
        if "doi" in fields and not DOI.fullmatch(fields["doi"]):
            yield key, f"{fields['doi']} is no DOI: it begins with 10. and has no address before it"
        if "eprint" in fields:
            number = ARXIV.fullmatch(fields["eprint"])
            if not number or not 1 <= int(number[2]) <= 12:
                yield key, f"{fields['eprint']} is no arXiv number"
            elif int(number[1]) + 2000 > int(fields["year"]) + 1:  # some are put there after they appeared
                yield key, f"arXiv:{fields['eprint']} is younger than the year of publication, {fields['year']}"
            if fields.get("archiveprefix", "").lower() != "arxiv":
                yield key, "an eprint needs archiveprefix = {arXiv}"
        found = {"doi", "eprint"} & set(fields)
        if found and key in excuses:
            yield key, "has an identifier, and an excuse for having none"
        if not found and key not in excuses:
            yield key, "has no doi and no eprint: look it up, or say why on a line `% KEY has no identifier: reason`"
        if not found and not OTHER & set(fields):
            yield key, f"has nothing that leads to it: doi, eprint, or one of {sorted(OTHER)}"
    for key in excuses.keys() - entries.keys():
        yield key, "is excused and is not there"


def read(text):
    return parse_string(text, "bibtex").entries


def test_every_source_can_be_found():
    assert list(faults(parse_file(str(FILE)).entries, dict(EXCUSE.findall(FILE.read_text("utf8"))))) == []


def test_no_identifier_stands_at_two_sources():
    entries = parse_file(str(FILE)).entries.values()
    found = [entry.fields[field].lower() for entry in entries for field in ("doi", "eprint") if field in entry.fields]
    assert len(found) == len(set(found))


BROKEN = {
    "nothing": ("", "has no doi"),
    "an address": ("doi = {https://doi.org/10.1007/x}, ", "is no DOI"),
    "month 13": ("eprint = {2013.00001}, archiveprefix = {arXiv}, ", "is no arXiv number"),
    "too young": ("eprint = {2201.00001}, archiveprefix = {arXiv}, ", "is younger"),
    "no archive": ("eprint = {1901.00001}, ", "archiveprefix"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_each_fault_is_seen(fault):
    fields, message = BROKEN[fault]
    found = list(faults(read(f"@article{{one, {fields} year = {{2020}}, pages = {{1}}}}"), {}))
    assert any(message in text for _, text in found), found


def test_an_excuse_is_needed_once_and_not_beside_an_identifier():
    bare, known = "@article{one, year = {2020}, pages = {1}}", "@article{one, year = {2020}, doi = {10.1007/x}}"
    assert list(faults(read(bare), {"one": "older than both"})) == []
    assert list(faults(read(known), {})) == []
    assert [key for key, _ in faults(read(known), {"one": "reason", "two": "reason"})] == ["one", "two"]
