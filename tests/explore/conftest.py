"""Lets these tests share modules that are no tests: figures here, the browser beside the tests of the book."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "book")]  # pytest's importlib mode does not
