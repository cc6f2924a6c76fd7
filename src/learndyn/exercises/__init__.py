"""Property checks for the exercises, one module a chapter: `check_<exercise>(answer)`."""
