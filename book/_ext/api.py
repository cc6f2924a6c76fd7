"""The reference of the library: the line ``{{ api }}`` of a page becomes one section a module of learndyn.

Not autodoc: our docstrings are MyST (math between dollars), and our signatures are best read as they were written,
shapes included, where autodoc prints what jaxtyping makes of them.
"""

import ast
import importlib
import inspect
import pkgutil
import re

import learndyn

MARKER = "{{ api }}"
WIDTH = 78  # of a signature; the code box of a page holds some 80 letters


def modules() -> list[str]:
    """All public modules, and packages that say what they export, in the order in which learndyn's own docstring draws them."""
    found = [m.name for m in pkgutil.iter_modules(learndyn.__path__) if not m.name.startswith("_")]
    found = [name for name in found if not hasattr(load(name), "__path__") or hasattr(load(name), "__all__")]
    drawn = re.findall(r"\w+", learndyn.__doc__ or "")
    return sorted(found, key=lambda name: (drawn.index(name) if name in drawn else len(drawn), name))


def load(name: str):
    return importlib.import_module(f"learndyn.{name}")


def definitions(module) -> list[ast.FunctionDef | ast.ClassDef]:
    """The functions and classes that a module defines, or that a package exports from its modules."""
    if hasattr(module, "__path__"):
        return [ast.parse(inspect.getsource(getattr(module, name))).body[0] for name in module.__all__]
    nodes = ast.parse(inspect.getsource(module)).body
    return [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")]


def module_text(name: str) -> str:
    module = load(name)
    if not module.__doc__:
        raise ValueError(f"learndyn.{name} has no docstring, and the reference begins with it")
    parts = [f"## learndyn.{name}", markdown(module.__doc__)]
    for node in definitions(module):
        doc = ast.get_docstring(node)
        if not doc:
            raise ValueError(f"learndyn.{name}.{node.name} is public and has no docstring")
        parts += [f"### {node.name}", f"```python\n{signature(node)}\n```", markdown(doc)]
    return "\n\n".join(parts)


def signature(node: ast.FunctionDef | ast.ClassDef) -> str:
    """As in the source, one argument a line where one line does not hold it; strings keep double quotes."""
    if isinstance(node, ast.ClassDef):
        fields = [ast.unparse(line) for line in node.body if isinstance(line, ast.AnnAssign)]
        bases = ", ".join(map(ast.unparse, node.bases))
        return "\n    ".join([f"class {node.name}({bases}):" if bases else f"class {node.name}:", *(fields or ["..."])])
    bare = ast.FunctionDef(node.name, node.args, [ast.Pass()], [], node.returns, lineno=0)
    line = ast.unparse(bare).removesuffix(":\n    pass").removeprefix("def ").replace("'", '"')
    if len(line) <= WIDTH:
        return line
    arguments = split(line[line.index("(") + 1 : line.rindex(")" if not node.returns else ") ->")])
    end = f") -> {ast.unparse(node.returns)}".replace("'", '"') if node.returns else ")"
    return "\n".join([f"{node.name}(", *(f"    {argument}," for argument in arguments), end])


def split(arguments: str) -> list[str]:
    """At the commas that stand inside no bracket and no string."""
    parts, depth, quoted = [""], 0, False
    for letter in arguments:
        quoted ^= letter == '"'
        depth += (letter in "([{") - (letter in ")]}") if not quoted else 0
        if letter == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def markdown(doc: str) -> str:
    """``Args:`` and the like become bold words with a list under them; the rest is MyST already."""
    out, section, item = [], False, None
    for line in inspect.cleandoc(doc).splitlines():
        indent = len(line) - len(line.lstrip())
        if re.fullmatch(r"(Args|Attributes|Returns|Raises):", line):
            out += ["", f"**{line[:-1]}**", ""]
            section, item = line[:-1], None
        elif section and line and not indent:
            section = False
            out += ["", line]
        elif section and line:
            entry = re.match(r"\s*([\w*, .\[\]0-9]+):\s+(.*)", line) if section != "Returns" else None
            item = indent if item is None else item
            if indent > item or (entry is None and out[-1]):
                out.append("  " + line.strip())  # the entry goes on
            elif entry:
                names = ", ".join(f"`{n.strip()}`" for n in entry[1].split(","))
                out.append(f"- {names}: {entry[2]}")
            else:
                out.append(f"- {line.strip()}")
        else:
            out.append(line)
    return "\n".join(out).replace("``", "`")


def expand(app, docname, source):
    if MARKER in source[0]:
        source[0] = source[0].replace(MARKER, "\n\n".join(map(module_text, modules())))


def outdated(app, env, added, changed, removed):
    """The page follows the library and not its own text."""
    return ["book/api"] if "book/api" in env.found_docs else []


def setup(app):
    app.connect("source-read", expand)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
