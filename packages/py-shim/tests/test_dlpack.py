"""DLPack: no copy, marked as read-only, and harmless to write to all the same."""

from __future__ import annotations

import ctypes
import sys
import types
from typing import Any

import numpy as np
import pytest
from support import ask_for_writable_memory, take

import memlane

Pair = tuple[memlane.Publisher, memlane.Subscriber]

LARGE = 1 << 16  # bytes: several pages
READ_ONLY, IS_COPIED = 1, 2


class Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class Versioned(ctypes.Structure):
    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("flags", ctypes.c_uint64),
        ("tensor", Tensor),
    )


class Unversioned(ctypes.Structure):
    _fields_ = (("tensor", Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.CFUNCTYPE(None, ctypes.c_void_p)))


pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
pointer_of.restype = ctypes.c_void_p
pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
rename = ctypes.pythonapi.PyCapsule_SetName
rename.argtypes = [ctypes.py_object, ctypes.c_char_p]


def versioned(capsule: object) -> Versioned:
    return Versioned.from_address(pointer_of(capsule, b"dltensor_versioned"))


def unversioned(capsule: object) -> Unversioned:
    return Unversioned.from_address(pointer_of(capsule, b"dltensor"))


def sent(pair: Pair, array: Any) -> memlane.Sample:
    publisher, subscriber = pair
    publisher.send(array)
    return take(subscriber)


@pytest.mark.parametrize(
    ("dtype", "code", "bits"),
    [
        ("bool", 6, 8),
        ("int8", 0, 8),
        ("int16", 0, 16),
        ("int32", 0, 32),
        ("int64", 0, 64),
        ("uint8", 1, 8),
        ("uint16", 1, 16),
        ("uint32", 1, 32),
        ("uint64", 1, 64),
        ("float16", 2, 16),
        ("float32", 2, 32),
        ("float64", 2, 64),
        ("bfloat16", 4, 16),
        ("complex64", 5, 64),
        ("complex128", 5, 128),
        ("bytes", 1, 8),
    ],
)
def test_every_type_is_described(pair: Pair, dtype: str, code: int, bits: int) -> None:
    publisher, subscriber = pair
    publisher.loan((2, 3, LARGE), dtype).send()
    sample = take(subscriber)
    new, old = sample.__dlpack__(max_version=(1, 0)), sample.__dlpack__()
    for tensor in (versioned(new).tensor, unversioned(old).tensor):
        assert (tensor.code, tensor.bits, tensor.lanes) == (code, bits, 1)
        assert (tensor.device_type, tensor.device_id, tensor.ndim, tensor.byte_offset) == (1, 0, 3, 0)
        assert tensor.shape[:3] == [2, 3, LARGE]
        assert tensor.strides[:3] == [3 * LARGE, LARGE, 1]


def test_a_large_sample_is_not_copied_and_marked_as_read_only(pair: Pair) -> None:
    sample = sent(pair, np.zeros(LARGE, np.uint8))
    capsule = sample.__dlpack__(max_version=(2, 0))
    managed = versioned(capsule)
    assert (managed.major, managed.flags) == (1, READ_ONLY)
    assert managed.tensor.data == np.asarray(sample).__array_interface__["data"][0]


def test_numpy_sees_a_read_only_array(pair: Pair) -> None:
    sample = sent(pair, np.arange(LARGE, dtype=np.int32))
    array = np.from_dlpack(sample)
    assert array.sum() == LARGE * (LARGE - 1) // 2
    assert not array.flags.writeable


def test_an_export_keeps_the_sample(pair: Pair) -> None:
    _, subscriber = pair
    array = np.from_dlpack(sent(pair, np.arange(LARGE)))
    assert subscriber.stats().held == 1
    assert array[-1] == LARGE - 1
    del array
    assert subscriber.stats().held == 0


def test_a_capsule_that_nobody_took_lets_go(pair: Pair) -> None:
    _, subscriber = pair
    sample = sent(pair, np.arange(LARGE))
    capsules = [sample.__dlpack__(), sample.__dlpack__(max_version=(1, 0)), sample.__dlpack__(copy=True)]
    with pytest.raises(BufferError, match="while 2 arrays or memoryviews look into it"):
        sample.release()
    capsules.clear()
    sample.release()
    assert subscriber.stats().held == 0


def test_a_consumer_may_be_done_without_the_gil(pair: Pair) -> None:
    _, subscriber = pair
    sample = sent(pair, np.arange(LARGE))
    capsule = sample.__dlpack__(max_version=(1, 0))
    managed = versioned(capsule)
    rename(capsule, b"used_dltensor_versioned")
    del sample, capsule
    assert subscriber.stats().held == 1
    managed.deleter(ctypes.addressof(managed))  # ctypes puts the GIL down for the call
    assert subscriber.stats().held == 0


@pytest.mark.parametrize("wish", [{}, {"max_version": (1, 0)}])
def test_a_small_sample_is_copied(pair: Pair, wish: dict[str, Any]) -> None:
    sample = sent(pair, np.arange(3, dtype=np.uint8))
    array = np.from_dlpack(sample)
    sample.release()  # it holds nothing
    assert array.tolist() == [0, 1, 2]
    capsule = sent(pair, b"abc").__dlpack__(max_version=(1, 0))
    assert versioned(capsule).flags == IS_COPIED
    with pytest.raises(BufferError, match="a small sample is always copied"):
        sent(pair, b"abc").__dlpack__(copy=False, **wish)


def test_a_copy_can_be_asked_for(pair: Pair) -> None:
    sample = sent(pair, np.arange(LARGE, dtype=np.uint8))
    array = np.from_dlpack(sample, copy=True)
    sample.release()
    array[0] = 7
    assert array[255] == 255


def test_wishes_that_cannot_be_met_are_refused(pair: Pair) -> None:
    sample = sent(pair, np.arange(LARGE))
    wrong: Any = sample.__dlpack__
    with pytest.raises(TypeError, match="stream must be None"):
        wrong(stream=1)
    with pytest.raises(BufferError, match="no other device"):
        wrong(dl_device=(2, 0))
    with pytest.raises(TypeError, match="copy is True, False or None"):
        wrong(copy=1)
    assert sample.__dlpack_device__() == (1, 0)
    assert wrong(dl_device=(1, 0), copy=False) is not None


def scribble(address: int, size: int) -> None:
    """What PyTorch does to memory that it should only read."""
    ctypes.memset(address, 0xEE, size)


def test_a_stray_write_is_seen_by_nobody_and_gone_with_the_sample(publisher: Any, subscriber: Any) -> None:
    sender, first, second = publisher(), subscriber(), subscriber()
    values = np.arange(LARGE, dtype=np.int32)
    sender.reserve(values.nbytes, 1)
    addresses = set()
    for _ in range(5):
        sender.send(values)
        mine, yours = take(first), take(second)
        assert (np.asarray(mine) == values).all()  # nothing of the round before
        capsule = mine.__dlpack__()
        tensor = unversioned(capsule).tensor
        addresses.add(tensor.data)
        scribble(tensor.data, values.nbytes)
        assert np.asarray(mine)[0] == np.int32(-0x11111112)  # it can be seen where it was done
        assert (np.asarray(yours) == values).all()
        del capsule
    assert len(addresses) < 5  # the memory was used again, or this has shown nothing


def test_a_stray_write_spoils_no_neighbour(pair: Pair) -> None:
    publisher, subscriber = pair
    for value in range(64):
        publisher.send(np.full(64, value, np.uint8))
        if value % 8 == 7:
            samples = [take(subscriber) for _ in range(8)]
            capsule = samples[3].__dlpack__()
            tensor = unversioned(capsule).tensor
            scribble(tensor.data, 64)
            for index, sample in enumerate(samples):
                assert set(np.asarray(sample)) == {value - 7 + index}


def test_who_was_refused_writable_memory_spoils_no_later_sample(pair: Pair) -> None:
    publisher, subscriber = pair
    values = np.arange(LARGE, dtype=np.int32)
    for _ in range(3):
        publisher.send(values)
        sample = take(subscriber)
        # As torch.frombuffer does: it asks for writable memory, is refused, takes what there is, and writes.
        with pytest.raises(BufferError):
            ask_for_writable_memory(sample)
        array = np.asarray(sample)
        assert (array == values).all()
        scribble(array.ctypes.data, array.nbytes)
        del array, sample


def test_in_a_program_with_pytorch_no_write_survives(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher, subscriber = pair
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    values = np.arange(LARGE, dtype=np.int32)
    for _ in range(3):
        publisher.send(values)
        array = np.asarray(take(subscriber))
        assert (array == values).all()
        scribble(array.ctypes.data, array.nbytes)  # torch.from_numpy(array) warns, once, and writes
