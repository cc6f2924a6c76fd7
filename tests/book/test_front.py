"""What leads into the book and out of it is made from the book: the map on the landing page, and the open problems."""

from graphlib import CycleError

import pytest
import yaml
from minibook import CLAIM, HEADER, REPOSITORY, MiniBook

from book._ext import contents, course_map, open_problems

BOOK = REPOSITORY / "book"
TOC = contents.parts(REPOSITORY)
CHAPTERS = [page for part in TOC for page in part.pages if contents.is_chapter(REPOSITORY, page)]

REGISTRY = """\
parts:
  a: {title: Alpha, written: false}
  b: {title: Beta, written: false}
  c: {title: Gamma, written: false}
  d: {title: Delta, written: false}
results:
  N1: {part: a, statement: one, sources: [jacot2018], provenance: [derived]}
"""
NEEDS = {"alpha/one": "Nothing.", "beta/two": "{doc}`../alpha/one`", "gamma/three": "All of {ref}`that <first>`, {doc}`four`",
         "gamma/four": "{doc}`the chapter <../alpha/one>` and {doc}`../beta/two`"}  # fmt: skip
OPEN = """
```{exercise-start}
:label: ex-easy
```
**Easy.** *(Calculation.)* Add.
```{exercise-end}
```

```{exercise-start} A title
:label: ex-open
```
**Who knows.** *(Open; to be announced.)* Is $x>0$?
```{exercise-end}
```
"""
FAILED = CLAIM.replace("measured=1", "measured=3").replace("kind='derived'", "kind='derived', reproduced=False, because='it grew'")


def small(root, needs=NEEDS):
    """A book of four parts, one of them planned."""
    parts = {"Use": ["use"]}
    for page in needs:
        parts.setdefault(page.split("/")[0].title(), []).append(page)
    toc = {"format": "jb-book", "root": "book/index",
           "parts": [{"caption": c, "chapters": [{"file": f"book/{page}"} for page in pages]} for c, pages in parts.items()]}  # fmt: skip
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    for page, text in needs.items():
        (root / "book" / page).parent.mkdir(parents=True, exist_ok=True)
        label = "(first)=\n" if page == "alpha/one" else ""
        facts = f"```{{chapter-facts}}\n{text}\n```\n"
        code = FAILED if page == "beta/two" else "1"
        exercises = OPEN if page == "beta/two" else ""
        cell = f"```{{code-cell}} ipython3\n{code}\n```\n"
        (root / "book" / f"{page}.md").write_text(f"{HEADER}{label}# The {page[-3:]}: a title\n\n{facts}\n{exercises}\n{cell}")
    (root / "book" / "results.yml").write_text(REGISTRY)
    (root / "book" / "use.md").write_text("# Use\n")
    return root


def test_the_map_has_every_part_below_what_it_builds_on(tmp_path):
    graph = course_map.read(small(tmp_path))
    assert graph.rows == [["Alpha"], ["Beta"], ["Gamma"], ["Delta"]], "the planned part comes last"
    assert graph.needs["Gamma"] == {"Alpha", "Beta"} and graph.nearest("Gamma") == ["Beta"]
    assert graph.chapters["Gamma"] == ("book/gamma/three", "book/gamma/four")


def test_parts_that_need_the_same_stand_side_by_side(tmp_path):
    graph = course_map.read(small(tmp_path, {**NEEDS, "gamma/four": "{doc}`../alpha/one`"}))
    assert graph.rows == [["Alpha"], ["Beta", "Gamma"], ["Delta"]]
    curves = [course_map.edges(graph.rows, part, ["Alpha"]) for part in ("Beta", "Gamma")]
    assert "M100.0 0" in curves[0] and "M0.0 0" in curves[1], "from the middle of the row, which is between the two boxes"
    assert course_map.edges(graph.rows, "Alpha", []) == ""


def test_parts_that_build_on_each_other_are_no_map(tmp_path):
    with pytest.raises(CycleError):
        course_map.read(small(tmp_path, {**NEEDS, "alpha/one": "{doc}`../gamma/four`"}))


def test_open_exercises_are_found_and_others_are_not():
    assert list(open_problems.exercises(OPEN)) == [("ex-open", "Who knows", "Is $x>0$?")]
    titled = OPEN.replace("{exercise-start} A title", "{exercise-start} Open problem: who knows").replace("*(Open; to be announced.)* ", "")
    assert list(open_problems.exercises(titled)) == [("ex-open", "Who knows", "**Who knows.** Is $x>0$?")]


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_chapter_leaves_a_question_open(page):
    found = list(open_problems.exercises(contents.text(REPOSITORY, page)))
    assert found, "mark an exercise as *(Open.)* after its name"
    assert all("{glue" not in body and "```" not in body for *_, body in found), "numbers of a run and code stay in the chapter"


def test_the_landing_page_has_one_line_for_each_part_and_the_map_every_chapter():
    graph = course_map.read(REPOSITORY)
    text = contents.text(REPOSITORY, "book/index")
    lines = text.split("```{course-map}\n")[1].split("```")[0].splitlines()
    assert [line.split(": ")[0] for line in lines] == list(graph.chapters)
    assert [page for row in graph.rows for part in row for page in graph.chapters[part]] == CHAPTERS


def test_the_pages_of_a_small_book(tmp_path):
    book = MiniBook(tmp_path, names=())
    small(tmp_path, {page: NEEDS[page] for page in ("alpha/one", "beta/two")})  # two are enough, each takes a kernel
    questions = "\n".join(f"{part}: what is {part}?" for part in ("Alpha", "Beta", "Gamma", "Omega"))
    book.write("book/index.md", f"# Mini\n\n```{{course-map}}\n{questions}\n```\n\n```{{open-problems}}\n```\n\n```{{bibliography}}\n```\n")
    code, output = book.make("book")
    assert code != 0 and "the part 'Delta' has no line" in output and "the part 'Omega' is none of the registry" in output
    assert output.count("WARNING") == 2, output
    page = (tmp_path / "_build" / "html" / "book" / "index.html").read_text(encoding="utf8")
    figure = page[page.index('<figure class="course-map"') : page.index("</figure>")]
    assert figure.count('<li class="part') == 4 and figure.count("<svg") == 1 and figure.count('class="part planned"') == 2
    assert 'href="alpha/one.html"' in figure and 'href="beta/two.html"' in figure and ": a title" not in figure
    assert "what is Gamma?" in figure and "builds on Alpha" in figure
    left = page[page.index('id="open-beta"') :]
    assert "Who knows." in left and 'href="beta/two.html#ex-open"' in left and "because it grew" in left and "Easy" not in left
