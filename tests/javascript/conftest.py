"""Lets the tests share modules that are no tests (the book's tests import `engine` from here, too)."""

import sys
from pathlib import Path

from hypothesis import configuration

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode does not
configuration.set_hypothesis_home_dir(Path(__file__).parents[2] / ".cache" / "hypothesis")
