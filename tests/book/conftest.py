"""Lets the tests of the book share modules that are no tests, and says once why those that need a browser are skipped."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "javascript")]  # pytest's importlib mode does not; `engine` is shared

import browser  # noqa: E402

chromium = browser.chromium


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """pytest folds skipped tests into one counted line where path, line, and reason agree: so no line."""
    report = yield
    if report.skipped and browser.NO_BROWSER in str(report.longrepr):
        report.longrepr = (str(item.path), None, browser.NO_BROWSER)
    return report
