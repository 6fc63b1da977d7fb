"""Where a test can run at all."""

import os

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")
