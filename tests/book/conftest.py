"""Lets the tests of the book share modules that are no tests (`browser`), which pytest's importlib mode does not."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
