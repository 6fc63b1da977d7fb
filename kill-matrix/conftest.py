"""Makes the driver importable, wherever pytest was started; and the order of the report."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The matrix comes first: it begins the report, to which the others add their lines."""
    items.sort(key=lambda item: item.path.name != "test_kill_matrix.py")
