"""Element types as people name them, turned into the core's names."""

from __future__ import annotations

import sys

from . import _core

__all__ = ["dtype_name"]


def dtype_name(dtype: object) -> str:
    """Gives the lane's name for a dtype: a name, a NumPy dtype or scalar type, a PyTorch dtype; None is plain bytes.

    Raises:
        InvalidArgument: a lane does not know this dtype (raised by the core, for names that are returned unchanged).
        TypeError: it is no dtype at all.
    """
    if dtype is None:
        return "bytes"
    if isinstance(dtype, str) and dtype in _core.dtypes:
        return dtype
    text = str(dtype)
    if text.startswith("torch."):
        return text.removeprefix("torch.")
    # Whoever has a NumPy dtype has NumPy; whoever writes "<f4" without it gets the list of names we know.
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        try:
            parsed = numpy.dtype(dtype)
        except TypeError:
            if not isinstance(dtype, str):
                raise
        else:
            return str(parsed.name) if parsed.isnative else parsed.str
    if isinstance(dtype, str):
        return dtype
    raise TypeError(f"dtype is a name such as 'uint8', a NumPy dtype or None, not {type(dtype).__name__}")
