"""The skeleton of a chapter, checked on its text: `problems(text)` lists every place that departs from it."""

import ast
import re
from dataclasses import dataclass

import jupytext
import yaml

LINES_OF_A_CELL = 15
LINES_OF_A_PLOT = 25  # of a cell that is folded away and whose output is a figure
LINES_OF_THE_IMPORTS = 20  # of the first cell
LINES_OF_AN_EXPLORE = 8  # the call alone
LEAST_EXERCISES = 4
LEAST_CHECKS = 2

FIRST_SECTION = "The question"
LAST_SECTIONS = ["What to remember", "Exercises", "References"]

# Nobody can be tested on these.
VAGUE = {"appreciate", "be", "become", "discover", "explore", "get", "grasp", "have", "know", "learn", "realize", "see", "study", "understand"}
REPRESENTATION = {"extension": ".md", "format_name": "myst"}

HEADER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
SECTION = re.compile(r"^## +(.+?) *$", re.MULTILINE)
GATE = re.compile(r"^[`:]{3,}\{(exercise|solution)-(start|end)\} *(.*?) *\n((?::.*\n)*)", re.MULTILINE)
CITE = re.compile(r"\{cite(?::[\w*]+)?\}`([^`]+)`")
ABOUT = re.compile(r"^[`:]{3,}\{admonition\} You will be able to\n(.*?)^[`:]{3,} *$", re.DOTALL | re.MULTILINE)
FACTS = re.compile(r"^[`:]{3,}\{chapter-facts\}\n+(.*?)^[`:]{3,} *$", re.DOTALL | re.MULTILINE)

# What is no prose, beside what stands in fences of code and of math.
NOT_PROSE = [
    re.compile(r"\$\$.*?\$\$", re.DOTALL),
    re.compile(r"^:[\w-]+:.*$", re.MULTILINE),  # options of directives
    re.compile(r"^(?: {4}|\t).*$", re.MULTILINE),
    re.compile(r"(?:\{[\w:.*+-]+\})?`[^`\n]+`"),  # roles (glue among them) and inline code
    re.compile(r"\]\([^)\n]*\)"),  # targets of links
]
FENCE = re.compile(r"^(`{3,}|:{3,})(\{[\w:-]+\}|\w+)?")
OF_PROSE = re.compile(r"\{(?!code|math|literalinclude|bibliography|raw)")  # directives whose content is read as text
FORMULA = re.compile(r"\$[^$]+\$")
# A number that a reader takes for a result: with a decimal point, an exponent, or a percent sign ...
RESULT = re.compile(r"(?<![\w.])\d+(?:\.\d+(?:e[+-]?\d+)?|e[+-]?\d+|(?:\.\d+)? ?%)(?![\w.]*\d)")
# ... or after a sign of approximation, in a formula too.
ABOUT_EQUAL = re.compile(r"(?:≈|\\approx|\\simeq)\s*-?(\d[\d.]*)")
NUMBERED = re.compile(r"(?:section|theorem|equation|figure|chapter|table|appendix|version|python|algorithm)s? *$", re.IGNORECASE)


@dataclass
class Cell:
    source: str
    header: dict
    solution: str | None  # the label of the solution in which it stands
    before: str  # the prose since the last figure


def problems(text: str, *, keys: set[str], allowed: frozenset[str] = frozenset()) -> list[str]:
    """All departures of a chapter's text; `keys` are the bibliography's, `allowed` the numbers that may be typed."""
    cells = cells_of(text)
    return [
        *header(text),
        *opening(text),
        *sections(text),
        *figures(cells),
        *code(cells),
        *exercises(text, cells),
        *references(text, keys),
        *typed_numbers(text, allowed),
    ]


def cells_of(text: str) -> list[Cell]:
    """The code cells, each with the prose since the figure before it and the solution around it."""
    found, prose, solution = [], "", None
    for cell in jupytext.reads(text, fmt="md:myst").cells:
        if cell.cell_type == "markdown":
            prose += "\n" + cell.source
            for kind, edge, label, _ in GATE.findall(cell.source + "\n"):
                if kind == "solution":
                    solution = label if edge == "start" else None
        else:
            found.append(Cell(cell.source, dict(cell.metadata), solution, prose))
            if is_figure(found[-1]) and not solution:
                prose = ""
    return found


def is_figure(cell: Cell) -> bool:
    return bool(cell.header.get("mystnb", {}).get("figure"))


def explores(cell: Cell) -> list[ast.Call]:
    """The calls of `explore` in a cell: figures that a reader can move."""
    if "explore(" not in cell.source:
        return []
    nodes = ast.walk(ast.parse(cell.source))
    return [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "explore"]


def alt_of(cell: Cell) -> str:
    """What a figure says to those who do not see it: in the call of `explore`, or in the cell's header."""
    for call in explores(cell):
        given = [keyword.value for keyword in call.keywords if keyword.arg == "alt"]
        return given[0].value if given and isinstance(given[0], ast.Constant) else ""
    return cell.header["mystnb"].get("image", {}).get("alt") or ""


def name(cell: Cell) -> str:
    """How a message calls a cell: by its figure, or by its first line."""
    return cell.header.get("mystnb", {}).get("figure", {}).get("name") or f"cell `{cell.source.splitlines()[0]}`"


def without_code(text: str) -> str:
    """The text without the fences of code and math and what they hold; other directives keep their content."""
    kept, open_fences = [], []
    for line in text.splitlines():
        fence = FENCE.match(line)
        if fence and not fence[2] and open_fences and fence[1].startswith(open_fences[-1][0]):
            open_fences.pop()
        elif fence and (not open_fences or open_fences[-1][1]):
            open_fences.append((fence[1], bool(OF_PROSE.match(fence[2] or ""))))
        elif all(prose for _, prose in open_fences):
            kept.append(line)
    return "\n".join(kept)


def header(text: str):
    match = HEADER.match(text)
    front = yaml.safe_load(match[1]) if match else {}
    representation = front.get("jupytext", {}).get("text_representation", {})
    if {k: representation.get(k) for k in REPRESENTATION} != REPRESENTATION or len(representation) < 4:
        yield "header: jupytext's text_representation needs extension .md, format_name myst, format_version, jupytext_version"
    if not {"display_name", "language", "name"} <= set(front.get("kernelspec", {})):
        yield "header: kernelspec needs display_name, language, name"


def opening(text: str):
    body = HEADER.sub("", text)
    if not re.match(r"\s*\([\w-]+\)=\n# \S", body):
        yield "opening: a label, `(name)=`, and the title, `# …`, come first"
    if len(re.findall(r"^# ", without_code(body), re.MULTILINE)) != 1:
        yield "opening: there must be one title"
    about = ABOUT.search(body)
    goals = re.findall(r"^[-*] +(\w+)", about[1], re.MULTILINE) if about else []
    if len(goals) < 3:
        yield "opening: the admonition `You will be able to` needs a list of at least 3 abilities"
    for verb in goals:
        if verb.lower() in VAGUE or not verb.islower():
            yield f"opening: `You will be able to {verb}` cannot be tested; begin with a verb like derive, compute, predict"
    if not (facts := FACTS.search(body)) or not facts[1].strip():
        yield "opening: the directive chapter-facts must state the prerequisites"


def sections(text: str):
    titles = SECTION.findall(without_code(text))
    if titles[:1] != [FIRST_SECTION]:
        yield f"sections: the first must be `## {FIRST_SECTION}`, not {titles[:1]}"
    if titles[-3:] != LAST_SECTIONS:
        yield f"sections: the last three must be {LAST_SECTIONS}, not {titles[-3:]}"


def figures(cells: list[Cell]):
    if not any(map(is_figure, cells)):
        yield "figures: there is none"
    if not any(explores(cell) for cell in cells if not cell.solution):
        yield "figures: there is none that a reader can move, by `explore`"
    for cell in cells:
        if is_figure(cell):
            caption = cell.header["mystnb"]["figure"].get("caption") or ""
            if not str(cell.header["mystnb"]["figure"].get("name", "")).startswith("fig-"):
                yield f"{name(cell)}: the name of a figure begins with fig-"
            if "**Observe.**" not in caption:
                yield f"{name(cell)}: the caption must say what to look at, after `**Observe.**`"
            if len(alt_of(cell).split()) < 5:
                yield f"{name(cell)}: the image needs an alt of at least a few words"
            for call in explores(cell):
                if (lines := call.end_lineno - call.lineno + 1) > LINES_OF_AN_EXPLORE:
                    yield f"{name(cell)}: {lines} lines for one explore, and {LINES_OF_AN_EXPLORE} are enough"
            if not cell.solution and not re.search(r"^\*\*Predict\.\*\* +\S", cell.before, re.MULTILINE):
                yield f"{name(cell)}: a paragraph that begins with `**Predict.**` must come before it and after the figure before"
        elif explores(cell):
            yield f"{name(cell)}: it shows a figure, so its header needs mystnb: figure (name, caption)"
        elif re.search(r"\bplt\.(subplots|figure|plot)\b", cell.source) and "remove-cell" not in cell.header.get("tags", []):
            yield f"{name(cell)}: it draws, so its header needs mystnb: figure (name, caption) and image (alt)"


def code(cells: list[Cell]):
    for k, cell in enumerate(cells):
        lines = sum(bool(line.strip()) and not line.strip().startswith("#") for line in cell.source.splitlines())
        plot = is_figure(cell) and "hide-input" in cell.header.get("tags", [])
        most = LINES_OF_THE_IMPORTS if k == 0 else LINES_OF_A_PLOT if plot else LINES_OF_A_CELL
        if lines > most:
            yield f"{name(cell)}: {lines} lines of code, and at most {most} are easy to read"
    if not any(re.search(r"^\s*claim\(", cell.source, re.MULTILINE) for cell in cells if not cell.solution):
        yield "claims: the chapter makes none"


def exercises(text: str, cells: list[Cell]):
    gates = GATE.findall(text)
    labels = [m[1] for kind, edge, _, options in gates if (kind, edge) == ("exercise", "start")
              for m in [re.search(r":label: *(\S+)", options)] if m]  # fmt: skip
    starts = sum((kind, edge) == ("exercise", "start") for kind, edge, _, _ in gates)
    solutions = {label: options for kind, edge, label, options in gates if (kind, edge) == ("solution", "start")}
    if starts < LEAST_EXERCISES:
        yield f"exercises: there are {starts}, and at least {LEAST_EXERCISES} are needed"
    if starts != len(set(labels)):
        yield "exercises: each needs a `:label:` of its own"
    for kind in ("exercise", "solution"):
        edges = [edge for found, edge, _, _ in gates if found == kind]
        if edges != ["start", "end"] * (len(edges) // 2):
            yield f"exercises: each {{{kind}-start}} needs its {{{kind}-end}}"
    for label in labels:
        if label not in solutions:
            yield f"exercises: {label} has no solution"
    for label, options in solutions.items():
        if label not in labels:
            yield f"exercises: the solution of {label} has no exercise"
        if not re.search(r":class: *.*dropdown", options):
            yield f"exercises: the solution of {label} must be folded, `:class: dropdown`"
    checked = {cell.solution for cell in cells if cell.solution and re.search(r"\bcheck_\w+\(", cell.source)}
    if len(checked) < LEAST_CHECKS:
        yield f"exercises: {len(checked)} solutions run a property check, and at least {LEAST_CHECKS} must"


def references(text: str, keys: set[str]):
    for key in {key.strip() for group in CITE.findall(text) for key in group.split(",")}:
        if key not in keys:
            yield f"references: {key} is not in book/references.bib"
    _, there, last = text.partition("\n## References\n")
    if not there:  # `sections` says so
        return
    entries = re.split(r"^[-*] ", last, flags=re.MULTILINE)[1:]
    if not entries:
        yield "references: the section is an annotated list"
    for entry in entries:
        if not CITE.search(entry) or len(CITE.sub("", entry).split()) < 4:
            yield f"references: `{entry.strip()[:40]}` needs a citation and a few words on what it is good for"


def typed_numbers(text: str, allowed: frozenset[str]):
    text = without_code(HEADER.sub("", text))
    for pattern in NOT_PROSE:
        text = pattern.sub(" ", text)
    prose = FORMULA.sub(" ", text)
    found = [(m[1].rstrip("."), around(text, m)) for m in ABOUT_EQUAL.finditer(text)]
    found += [(m[0], around(prose, m)) for m in RESULT.finditer(prose) if not NUMBERED.search(prose[: m.start()])]
    for number, context in found:
        if number not in allowed:
            yield f"numbers: {number} is typed in `{context}`: glue a computed one, or allow it in test_structure with a reason"


def around(text: str, match: re.Match) -> str:
    return " ".join(text[max(0, match.start() - 30) : match.end() + 10].split())
