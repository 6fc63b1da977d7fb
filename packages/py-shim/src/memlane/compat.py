"""The Python class of the older C++ and Python shared-memory library, for programs that were written for it.

The same calls over memlane's lanes, in any mix with programs that use the C++ class of the same name. What is
different: importing it prints nothing and loads nothing, one process may open several keys, Python can send, a body may
have any size, and no array is overwritten while somebody looks at it. The project's documentation has a page on it,
"Coming from cpp_python_share_memory".
"""

from __future__ import annotations

import ctypes
import time

from ._shared_block import CAN_READ, CAN_WRITE, FINISHED, PROCESSING, SharedBlock

__all__ = ["CAN_READ", "CAN_WRITE", "FINISHED", "PROCESSING", "ShareMemory"]

_COPIED = 4096  # bytes: a smaller body shares its page with others, and a ctypes array can be written to


class ShareMemory:
    """One block for each key, seen by every process of the user that opens the key.

    Any of them may put a body when the status is 0 (can be written); that sets it to 1 (can be read). Who reads the
    body sets it to 0 again, and so lets the next one come. Used by one thread at a time; several objects, also of one
    key, are fine. Not for use in the child of a fork. Every call raises `memlane.Closed` after `destroy_share()`.
    """

    def __init__(self, share_memory_key: int) -> None:
        """Opens the block of that key. Raises what `memlane.Publisher` does."""
        self._block = SharedBlock(share_memory_key)

    def get_share_status(self) -> int:
        """0: can be written; 1: can be read; 2: being processed; 3: finished.

        A program that asks again and again, and finds no change, waits in here a little.
        """
        self._block.look_calmly()
        return self._block.flag

    def set_share_can_write(self) -> None:
        """Says that the body that was last seen here has been read; `get_data` says so itself."""
        self._block.set_flag(CAN_WRITE)

    def set_share_status(self, status: int) -> None:
        """Sets any status, e.g. 3 for "finished"; the C++ class has it as SetStatus()."""
        self._block.set_flag(status)

    def get_data(self, timeout: float | None = None) -> ctypes.Array[ctypes.c_uint8]:
        """The body, as bytes, without a copy; and says that it was read, so that the next one may come.

        Waits for it if it is not there, at most `timeout` seconds; an array of length 0 means that the time is over, or
        that the status is 3 (finished). The array stays as it is for as long as it lives, whatever comes meanwhile.
        """
        deadline = _Deadline(timeout)
        if self._block.body is None:
            self._block.look()
        while self._block.body is None:
            if self._block.flag == FINISHED or deadline.passed():
                return (ctypes.c_uint8 * 0)()
            self._block.wait(deadline.left())
            self._block.look()
        data = _as_array(self._block.body)
        self._block.set_flag(CAN_WRITE)
        return data

    def put_data(self, array: object, timeout: float | None = None) -> int:
        """Puts a copy of an array or of bytes into the block, and sets the status to 1.

        Waits for the last body to be read, at most `timeout` seconds. Gives 1; or 0 if the time is over, or the status
        is 3 (finished). An array of 2 or more dimensions is an image (height, width), (height, width, channels), or a
        batch of these, and says its height and width too.
        """
        deadline = _Deadline(timeout)
        while not self._block.put(array):
            if self._block.flag == FINISHED or deadline.passed():
                return 0
            self._block.wait(deadline.left(), to_put=True)
        return 1

    def get_height(self) -> int:
        """The height of the image, as its writer said it; 0 if it did not."""
        self._block.look()
        return self._block.rows

    def get_width(self) -> int:
        """The width of the image, as its writer said it; 0 if it did not."""
        self._block.look()
        return self._block.cols

    def get_share_body_size(self) -> int:
        """The bytes of the body, or 0 if the status is not 1."""
        if self._block.body is None:
            self._block.look()
        return 0 if self._block.body is None else self._block.body.nbytes

    def destroy_share(self) -> None:
        """Leaves the block. The others keep what was put, and arrays stay readable. The second time does nothing."""
        self._block.close()


class _Deadline:
    """The end of a wait that is made in steps."""

    def __init__(self, timeout: float | None) -> None:
        self._at = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float | None:
        return None if self._at is None else self._at - time.monotonic()

    def passed(self) -> bool:
        return self._at is not None and time.monotonic() >= self._at


def _as_array(body: object) -> ctypes.Array[ctypes.c_uint8]:
    """A ctypes array over the body's memory, which keeps the body alive."""
    memory = memoryview(body)  # type: ignore[arg-type]
    kind = ctypes.c_uint8 * memory.nbytes
    if memory.nbytes < _COPIED:
        return kind.from_buffer_copy(memory)
    # ctypes makes an array only over memory that may be written, or over an address. A Py_buffer begins with that.
    buffer = (ctypes.c_size_t * 16)()
    python = ctypes.pythonapi
    python.PyObject_GetBuffer(ctypes.py_object(memory), ctypes.byref(buffer), 0)
    python.PyBuffer_Release(ctypes.byref(buffer))
    array = kind.from_address(buffer[0])
    array._memory = memory  # type: ignore[attr-defined]  # keeps the sample for as long as the array is there
    return array
