"""Every chapter has the one skeleton, and the checker of the skeleton sees each departure from it."""

import re
from collections import Counter

import pytest
import skeleton
from minibook import HEADER, REPOSITORY
from pybtex.database import parse_file

BOOK = REPOSITORY / "book"
KEYS = set(parse_file(str(BOOK / "references.bib")).entries)
CHAPTERS = sorted(p for p in BOOK.glob("*/*.md") if p.read_text(encoding="utf8").startswith("---\njupytext:"))

# Numbers in prose that are no results of a computation, by chapter: the number and why it may be typed.
ALLOWED: dict[str, dict[str, str]] = {}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: str(path.relative_to(BOOK)))
def test_chapter(path):
    allowed = frozenset(ALLOWED.get(path.stem, {}))
    assert skeleton.problems(path.read_text(encoding="utf8"), keys=KEYS, allowed=allowed) == []


def test_a_label_belongs_to_one_page():
    labels = re.compile(r"\$\$ \(([\w-]+)\)$|^\(([\w-]+)\)=$|^:label: ([\w-]+)$|^ +name: (fig-[\w-]+)$", re.M)
    count = Counter(next(filter(None, found)) for p in CHAPTERS for found in labels.findall(p.read_text("utf8")))
    assert len(count) > 100
    assert [label for label, times in count.items() if times > 1] == []


def test_other_pages_cite_what_the_bibliography_has():
    pages = [p for p in BOOK.rglob("*.md") if p not in CHAPTERS]
    cited = {k.strip() for p in pages for group in skeleton.CITE.findall(p.read_text("utf8")) for k in group.split(",")}
    assert cited <= KEYS


def test_the_bibliography_names_its_sources_once():
    titles = [entry.fields["title"].lower() for entry in parse_file(str(BOOK / "references.bib")).entries.values()]
    assert len(titles) == len(set(titles))


EXERCISE = """```{{exercise-start}} A title
:label: ex-{k}
```
Do it.
```{{exercise-end}}
```

```{{solution-start}} ex-{k}
:class: dropdown
```
So.

```{{code-cell}} ipython3
check_it(answer)
```
```{{solution-end}}
```
"""

GOOD = (
    HEADER
    + """
(good)=
# A good chapter

:::{admonition} You will be able to
- derive a thing;
- compute it;
- predict it.
:::

```{chapter-facts}
Linear algebra.
```

## The question

As section 3.1 of {cite:t}`jacot2018` says, $x=0.25$ and `0.5`, so {glue:text}`a:.2e`.

```{code-cell} ipython3
import numpy as np
# a comment
```

**Predict.** What will it show?

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-one
    caption: |
      **Observe.** The line falls.
  image:
    alt: A line that falls from left to right.
tags: [hide-input]
---
fig, ax = plt.subplots()
```

```{code-cell} ipython3
claim("N1", "it holds", measured=0.0, below=1e-8, source="jacot2018", kind="derived")
```

**Predict.** What will move?

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-moves
    caption: |
      **Observe.** The line moves.
---
explore(simulate, line("loss"), rate=Slider(0, 1, 0.5),
        alt="A line that falls from left to right.")
```

## What to remember

It holds.

## Exercises

"""
    + "".join(EXERCISE.format(k=k) for k in range(4))
    + """
## References

- {cite:t}`jacot2018` is where the kernel comes from.
"""
)

EXPLORE = GOOD[GOOD.index("**Predict.** What will move") : GOOD.index("## What to")]
FIGURE = GOOD[GOOD.index("**Predict.**") : GOOD.index('```{code-cell} ipython3\nclaim(')]
BROKEN = {
    "no jupytext version": ("    jupytext_version: 1.19.6\n", "", "header: jupytext"),
    "bare kernelspec": ("  language: python\n", "", "header: kernelspec"),
    "no label": ("(good)=\n", "", "opening: a label"),
    "second title": ("## What to remember", "# Another\n\n## What to remember", "one title"),
    "two abilities": ("- compute it;\n", "", "at least 3"),
    "vague ability": ("- compute it;", "- understand it;", "cannot be tested"),
    "no facts": ("Linear algebra.\n", "", "chapter-facts"),
    "no question": ("## The question", "## Introduction", "the first must be"),
    "sections swapped": ("## What to remember", "## Summary", "the last three"),
    "no figure": (FIGURE + GOOD[GOOD.index(FIGURE) + len(FIGURE) : GOOD.index("## What to")], "", "figures: there is none"),
    "no explore": (EXPLORE, "", "none that a reader can move"),
    "no prediction for an explore": ("**Predict.** What will move?", "What will move?", "fig-moves: a paragraph"),
    "no alt in an explore": (',\n        alt="A line that falls from left to right.")', ")", "fig-moves: the image needs an alt"),
    "explore without a header": (EXPLORE[EXPLORE.index("---\n") : EXPLORE.rindex("---\n") + 4], "", "explore(simulate, line"),
    "long explore": ('line("loss"), rate', 'line("loss"),' + "\n" * 7 + "rate", "9 lines for one explore"),
    "no prediction": ("**Predict.** What will it show?", "What will it show?", "fig-one: a paragraph"),
    "one prediction for two figures": ("## What to remember", FIGURE.split("\n\n", 1)[1].replace("fig-one", "fig-two")
                                       + "## What to remember", "fig-two: a paragraph"),
    "no observation": ("**Observe.** The", "The", "what to look at"),
    "no alt": ("    alt: A line that falls from left to right.", "    width: 3px", "needs an alt"),
    "figure without a header": ("# a comment", "plt.plot(x)", "it draws"),
    "unnamed figure": ("name: fig-one", "name: one", "begins with fig-"),
    "long cell": ("claim(", "x = 1\n" * 15 + "claim(", "16 lines of code"),
    "long plot": ("fig, ax = plt.subplots()", "fig, ax = plt.subplots()\n" * 26, "26 lines of code"),
    "no claim": ('claim("N1"', 'print("N1"', "claims: the chapter makes none"),
    "three exercises": (EXERCISE.format(k=3), "", "at least 4"),
    "no label of an exercise": (":label: ex-2\n", "", "`:label:`"),
    "no end": ("```{exercise-end}\n```\n", "", "{exercise-end}"),
    "no solution": (EXERCISE.format(k=1)[EXERCISE.format(k=1).index("```{solution-start}"):], "", "ex-1 has no solution"),
    "open solution": ("{solution-start} ex-0\n:class: dropdown\n", "{solution-start} ex-0\n", "must be folded"),
    "unknown key": ("jacot2018` says", "jacot1918` says", "jacot1918 is not in"),
    "bare reference": (" is where the kernel comes from.", "", "a few words"),
    "typed decimal": ("It holds.", "It holds to 0.031.", "0.031 is typed"),
    "typed exponent": ("It holds.", "It holds to 1e-8.", "1e-8 is typed"),
    "typed percentage": ("It holds.", "It holds in 93 % of all cases.", "93 % is typed"),
    "typed approximation": ("It holds.", "It holds for $x\\approx 3$.", "3 is typed"),
}  # fmt: skip


def test_a_good_chapter_passes():
    assert skeleton.problems(GOOD, keys=KEYS) == []


@pytest.mark.parametrize("fault", BROKEN)
def test_each_fault_is_seen(fault):
    good, bad, message = BROKEN[fault]
    assert good in GOOD, "the fault must change something"
    found = skeleton.problems(GOOD.replace(good, bad, 1), keys=KEYS)
    assert any(message in problem for problem in found), found


def test_too_few_property_checks_are_seen():
    found = skeleton.problems(GOOD.replace("check_it(answer)", "print(answer)", 3), keys=KEYS)
    assert found == [f"exercises: 1 solutions run a property check, and at least {skeleton.LEAST_CHECKS} must"]


def test_a_number_may_be_allowed():
    text = GOOD.replace("It holds.", "It holds to 0.031.")
    assert skeleton.problems(text, keys=KEYS, allowed=frozenset({"0.031"})) == []
