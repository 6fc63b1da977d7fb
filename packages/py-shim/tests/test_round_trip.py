"""What is sent arrives: every element type, every shape, from everything that has memory in it."""

from __future__ import annotations

import array
import ctypes
import mmap
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support import take

import memlane

Pair = tuple[memlane.Publisher, memlane.Subscriber]

DTYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]

# The fixtures hold ports, which any number of examples may use.
many_examples = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)


def arrays(max_dims: int = 8) -> st.SearchStrategy[npt.NDArray[np.generic]]:
    shapes = hnp.array_shapes(min_dims=0, max_dims=max_dims, min_side=0, max_side=5)
    return st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(np.dtype(dtype), shapes))


def assert_same(sample: memlane.Sample, sent: npt.NDArray[np.generic]) -> None:
    received = np.asarray(sample)
    assert (sample.dtype, sample.shape, sample.nbytes) == (sent.dtype.name, sent.shape, sent.nbytes)
    assert (received.dtype, received.shape) == (sent.dtype, sent.shape)
    assert received.tobytes() == sent.tobytes()  # NaN and all


@many_examples
@given(sent=arrays())
def test_arrays_arrive_as_they_were_sent(pair: Pair, sent: npt.NDArray[np.generic]) -> None:
    publisher, subscriber = pair
    assert publisher.send(sent) == 1
    assert_same(take(subscriber), sent)


@many_examples
@given(sent=arrays())
def test_loans_arrive_as_they_were_written(pair: Pair, sent: npt.NDArray[np.generic]) -> None:
    publisher, subscriber = pair
    with publisher.loan(sent.shape, sent.dtype) as loan:
        np.asarray(loan)[...] = sent
    assert_same(take(subscriber), sent)


@many_examples
@given(data=st.data())
def test_arrays_that_are_not_contiguous_arrive_in_c_order(pair: Pair, data: st.DataObject) -> None:
    publisher, subscriber = pair
    whole = data.draw(arrays(max_dims=5))
    turned = whole.transpose(data.draw(st.permutations(range(whole.ndim))))
    part = turned[data.draw(hnp.basic_indices(turned.shape, allow_newaxis=True, max_dims=8))]
    sent = np.asarray(part)  # an index of only integers gives a scalar
    publisher.send(sent)
    assert_same(take(subscriber), sent)


def test_a_broadcast_array_arrives_in_full(pair: Pair) -> None:
    publisher, subscriber = pair
    sent = np.broadcast_to(np.arange(4, dtype=np.int16), (3, 4))
    publisher.send(sent)
    assert_same(take(subscriber), sent)


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 1 << 16, (1 << 20) + 3])
def test_bytes_of_every_size_arrive(pair: Pair, size: int) -> None:
    publisher, subscriber = pair
    sent = np.random.default_rng(size).bytes(size)
    publisher.send(sent)
    sample = take(subscriber)
    assert (sample.dtype, sample.shape, len(sample)) == ("bytes", (size,), size)
    assert bytes(sample) == sent


def anonymous_map() -> mmap.mmap:
    memory = mmap.mmap(-1, 4096)
    memory[:3] = b"map"
    return memory


@pytest.mark.parametrize(
    ("make", "dtype", "shape"),
    [
        (lambda: b"bytes", "bytes", (5,)),
        (lambda: bytearray(b"bytearray"), "bytes", (9,)),
        (lambda: memoryview(b"memoryview")[2:6], "bytes", (4,)),
        (lambda: memoryview(b"backwards")[::-1], "bytes", (9,)),
        (lambda: memoryview(b"matrix").cast("B", (2, 3)), "uint8", (2, 3)),
        (lambda: memoryview(b"12345678").cast("i"), "int32", (2,)),
        (lambda: memoryview(b"signs").cast("c"), "bytes", (5,)),
        (lambda: array.array("d", [1.5, 2.5]), "float64", (2,)),
        (lambda: array.array("B", [1, 2]), "uint8", (2,)),
        (lambda: array.array("l", [-1]), "int64", (1,)),
        (lambda: (ctypes.c_uint8 * 3)(1, 2, 3), "uint8", (3,)),
        (lambda: ((ctypes.c_int16 * 3) * 2)(), "int16", (2, 3)),
        (lambda: ctypes.c_double(0.5), "float64", ()),
        (lambda: np.float32(1.25), "float32", ()),
        (lambda: np.uint8(7), "uint8", ()),
        (lambda: np.frombuffer(b"abc", np.uint8), "uint8", (3,)),
        (lambda: np.array([1, 2], ">u1"), "uint8", (2,)),
        (anonymous_map, "uint8", (4096,)),
    ],
)
def test_everything_with_a_buffer_can_be_sent(
    pair: Pair, make: Callable[[], object], dtype: str, shape: tuple[int, ...]
) -> None:
    publisher, subscriber = pair
    sent = make()
    publisher.send(sent)
    sample = take(subscriber)
    assert (sample.dtype, sample.shape) == (dtype, shape)
    assert bytes(sample) == bytes(memoryview(sent).tobytes())  # type: ignore[arg-type]


class WithInterface:
    """An array that offers NumPy's array interface, and nothing else, as images of Pillow do."""

    def __init__(self, values: npt.NDArray[np.generic]) -> None:
        self.__array_interface__ = values.__array_interface__
        self._values = values


class WithArray:
    """An array that offers ``__array__`` and nothing else, as a Series of pandas does."""

    def __init__(self, values: npt.NDArray[np.generic]) -> None:
        self._values = values

    def __array__(self, dtype: object = None, copy: object = None) -> npt.NDArray[np.generic]:
        return self._values


class WithDlpack:
    """An array that offers DLPack and nothing else, as tensors do."""

    def __init__(self, values: npt.NDArray[np.generic], *, device: tuple[int, int] = (1, 0), versioned: bool) -> None:
        self._values = values
        self._device = device
        self._versioned = versioned

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device

    def __dlpack__(self, **wishes: object) -> object:
        if not self._versioned and wishes:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        values: Any = self._values
        return values.__dlpack__(**wishes)


def old_dlpack(values: npt.NDArray[np.generic]) -> WithDlpack:
    return WithDlpack(values, versioned=False)


def new_dlpack(values: npt.NDArray[np.generic]) -> WithDlpack:
    return WithDlpack(values, versioned=True)


@pytest.mark.parametrize("wrap", [WithInterface, WithArray, old_dlpack, new_dlpack])
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_other_libraries_can_be_sent(
    pair: Pair, wrap: Callable[[npt.NDArray[np.generic]], object], dtype: str
) -> None:
    publisher, subscriber = pair
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)[:, ::-1, 1:]
    publisher.send(wrap(values))
    assert_same(take(subscriber), values)


def test_a_tensor_on_another_device_is_refused(pair: Pair) -> None:
    publisher, _ = pair
    tensor = WithDlpack(np.zeros(3), device=(2, 0), versioned=True)
    with pytest.raises(TypeError, match="another device: move it to the CPU first"):
        publisher.send(tensor)


REFUSED = r"a lane cannot carry|send takes bytes, an array"


class Pixels(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int))


@pytest.mark.parametrize(
    "unsendable",
    [
        "text",
        12,
        None,
        [1, 2, 3],
        object(),
        np.array([object()]),
        np.array(["text"]),
        np.array([b"text"]),
        np.array(["2026-01-01"], "datetime64[D]"),
        np.zeros(2, [("x", "i4"), ("y", "f4")]),
        np.zeros(2, np.longdouble),
        np.zeros(2, ">i4"),
        Pixels(),
    ],
    ids=repr,
)
def test_what_a_lane_cannot_carry_raises_type_error(pair: Pair, unsendable: object) -> None:
    publisher, subscriber = pair
    with pytest.raises(TypeError, match=REFUSED):
        publisher.send(unsendable)
    with pytest.raises(TypeError, match=REFUSED):
        publisher.try_send(unsendable)
    assert publisher.stats().sent == 0
    assert subscriber.take() is None


def test_nine_dimensions_are_too_many(pair: Pair) -> None:
    publisher, _ = pair
    with pytest.raises(memlane.OutOfRange, match="at most 8 dimensions, this one has 9"):
        publisher.send(np.zeros((1,) * 9))


def test_bfloat16_shows_as_uint16_in_numpy_and_as_bfloat16_in_dlpack(pair: Pair) -> None:
    publisher, subscriber = pair
    with publisher.loan(1024, "bfloat16") as loan:
        np.asarray(loan)[:] = 0x3F80  # 1.0
    sample = take(subscriber)
    assert sample.dtype == "bfloat16"
    received = np.asarray(sample)
    assert received.dtype == np.uint16
    assert (received == 0x3F80).all()
    # NumPy refuses bfloat16 by name, which shows that it was told of it; and a lane accepts what it exports.
    with pytest.raises((BufferError, RuntimeError), match="Unsupported dtype"):
        np.from_dlpack(sample)
    publisher.send(DlpackOnly(sample))
    assert take(subscriber).dtype == "bfloat16"


class DlpackOnly:
    def __init__(self, sample: memlane.Sample) -> None:
        self._sample = sample

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._sample.__dlpack_device__()

    def __dlpack__(self, **wishes: object) -> object:
        sample: Any = self._sample
        return sample.__dlpack__(**wishes)
