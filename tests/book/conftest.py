"""Lets the tests of the book share modules that are no tests, and leaves those out that need a browser where none is."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode does not

import browser  # noqa: E402


def pytest_collection_modifyitems(items):
    """One counted line says how many; in continuous integration they fail instead (the fixture `chromium`)."""
    if browser.executable() is None and not os.environ.get("CI"):
        for item in items:
            if "chromium" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=browser.NO_BROWSER))
