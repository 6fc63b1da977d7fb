"""The bytes of loans and samples."""

from typing import Any

import numpy as np


def flat(buffer: Any) -> memoryview:
    """Return the bytes of a loan or sample, one by one, whatever its shape."""
    return np.asarray(buffer).reshape(-1).view(np.uint8).data
