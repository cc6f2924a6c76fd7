"""The reference page: every public name of the library, its signature as written, its docstring as MyST."""

import ast
import importlib

import pytest

from book._ext import api


@pytest.mark.parametrize("name", api.modules())
def test_each_public_name_has_an_entry_with_its_signature(name):
    module = importlib.import_module(f"learndyn.{name}")
    text = api.module_text(name)
    public = module.__all__ if hasattr(module, "__path__") else [
        n for n, value in vars(module).items() if not n.startswith("_") and getattr(value, "__module__", None) == module.__name__
        and isinstance(value, type(api.split) | type)]  # fmt: skip
    for entry in public:
        assert f"\n### {entry}\n\n```python\n" in text, entry
    assert "``" not in text.replace("```", ""), "reST's double backticks are code only there"


def test_a_long_signature_has_one_argument_a_line():
    source = 'def f(first: Float[Array, "n d"], *, second: dict[str, int] = {}, third: Callable[[int, int], str] | None = None) -> int: ...'
    assert api.signature(ast.parse(source).body[0]).splitlines() == [
        "f(",
        '    first: Float[Array, "n d"],',
        "    *,",
        "    second: dict[str, int]={},",
        "    third: Callable[[int, int], str] | None=None,",
        ") -> int",
    ]


def test_sections_of_a_docstring_become_lists():
    doc = """Formula.

    Args:
      a: first,
        which goes on.
      b, c: two.

    Returns:
      A pair.

    More.
    """
    lines = [line for line in api.markdown(doc).splitlines() if line]
    assert lines == ["Formula.", "**Args**", "- `a`: first,", "  which goes on.", "- `b`, `c`: two.", "**Returns**", "- A pair.", "More."]
