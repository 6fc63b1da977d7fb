"""Arrays of every dtype, written and read as NumPy sees them.

Element i is value i modulo 11 of the dtype's row, as in ../cpp/elements.hpp.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_SIGNED: list[Any] = ["min", "max", -1, 0, 1, 42, -99, 100, -128, 127, 7]
_UNSIGNED: list[Any] = [0, "max", 1, 2, 42, 99, "max-1", 100, 128, 127, 7]
_BOOLS = [True, False, False, True, True, False, True, False, True, True, False]
# NumPy has no bfloat16: a program handles its bits.
_BFLOAT16 = [0x0000, 0x8000, 0x3F80, 0xBF80, 0x3FC0, 0xC010, 0x7F7F, 0x0001, 0x7F80, 0xFF80, 0x7FC0]


def _row(dtype: str) -> Array:
    if dtype == "bool":
        return np.array(_BOOLS)
    if dtype == "bytes":
        dtype = "uint8"
    if dtype == "bfloat16":
        return np.array(_BFLOAT16, dtype="uint16")
    if dtype.startswith("complex"):
        parts = _row("float32" if dtype == "complex64" else "float64")
        numbers = np.empty(len(parts), dtype=dtype)
        numbers.real, numbers.imag = parts, np.roll(parts, -1)
        return numbers
    kind = np.dtype(dtype)
    if kind.kind == "f":
        info = np.finfo(kind)
        values = [0.0, -0.0, 1, -1, 1.5, -2.25, info.max, info.smallest_subnormal, np.inf, -np.inf, np.nan]
        return np.array(values, dtype=kind)
    limits = np.iinfo(kind)
    named = {"min": int(limits.min), "max": int(limits.max), "max-1": int(limits.max) - 1}
    row = _SIGNED if kind.kind == "i" else _UNSIGNED
    return np.array([named.get(value, value) for value in row], dtype=kind)


def elements(dtype: str, shape: tuple[int, ...]) -> Array:
    """Return an array of that dtype (bfloat16: its bits, as uint16) and shape, with the values it is to have."""
    count = int(np.prod(shape, dtype=np.int64))
    return np.resize(_row(dtype), count).reshape(shape) if count else np.empty(shape, _row(dtype).dtype)


def check_elements(array: Array, dtype: str, shape: tuple[int, ...]) -> str:
    """Return an empty text if every element is as it should be, else what is not."""
    wanted = elements(dtype, shape)
    if array.dtype != wanted.dtype:
        return f"the array is of {array.dtype} in place of {wanted.dtype}"
    if array.shape != wanted.shape:
        return f"the array is of shape {array.shape} in place of {wanted.shape}"
    # Bits and not values: NaN is to be NaN, and -0 is not 0.
    if array.tobytes() != wanted.tobytes():
        return f"elements differ: {array.reshape(-1)[:11]}"
    return ""
