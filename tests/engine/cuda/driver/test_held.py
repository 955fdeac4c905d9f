"""Objects on a GPU: freed once, in the context of the GPU, or never."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from depthrt.engine.cuda.driver.held import Held
from depthrt.engine.errors import BackendUnavailable
from depthrt.engine.system.closable import never_destroy


class Thing:
    """What pycuda would make."""


class FakeGpu:
    """An owner that counts how often its context was made current."""

    def __init__(self) -> None:
        self.held: dict[Held, None] = {}
        self.lost = ""
        self.pycuda: Any = None
        self.kernels: dict[str, Any] = {}
        self.is_current = False

    @contextmanager
    def current(self) -> Iterator[None]:
        if self.lost:
            raise BackendUnavailable(self.lost)
        self.is_current = True
        yield
        self.is_current = False


class HeldThing(Held):
    """A Held that records when it is freed."""

    def __init__(self, gpu: FakeGpu, error: str = "") -> None:
        self.thing_ref: weakref.ref[Thing]
        self.frees, self.error, self.fake = 0, error, gpu
        super().__init__(gpu, self._make)

    def _make(self) -> Thing:
        assert self.fake.is_current
        thing = Thing()
        self.thing_ref = weakref.ref(thing)
        return thing

    def _free(self) -> None:
        assert self.fake.is_current
        self.frees += 1
        if self.error:
            self.fake.lost = self.error
            raise BackendUnavailable(self.error)


def test_an_object_is_freed_once_in_the_gpus_context() -> None:
    gpu = FakeGpu()
    held = HeldThing(gpu)
    assert list(gpu.held) == [held] and held.gpu is gpu and not held.closed
    for _ in range(2):
        held.close()
        assert held.closed and held.frees == 1 and gpu.held == {} and held.thing_ref() is None


def test_a_with_statement_frees_the_object() -> None:
    gpu = FakeGpu()
    with HeldThing(gpu) as held:
        assert not held.closed
    assert held.closed and held.frees == 1


def test_an_object_that_cannot_be_made_is_not_held() -> None:
    def fail() -> None:
        raise BackendUnavailable("not enough memory")

    gpu = FakeGpu()
    with pytest.raises(BackendUnavailable, match="not enough memory"):
        Held(gpu, fail)
    assert gpu.held == {}


def test_nothing_is_freed_on_a_lost_gpu_or_destroyed_by_python() -> None:
    gpu = FakeGpu()
    held = HeldThing(gpu)
    gpu.lost = "the GPU was lost"
    held.close()
    assert held.closed and held.frees == 0 and gpu.held == {}
    assert held.thing_ref() is not None  # pycuda's destructor would abort the process


def test_an_object_is_abandoned_if_the_gpu_is_lost_while_it_is_freed() -> None:
    gpu = FakeGpu()
    held = HeldThing(gpu, error="the GPU was lost")
    held.close()
    held.close()
    assert held.closed and held.frees == 1 and held.thing_ref() is not None


def test_an_abandoned_object_is_neither_freed_nor_destroyed() -> None:
    held = HeldThing(FakeGpu())
    held.abandon()
    held.close()
    assert held.closed and held.frees == 0 and held.thing_ref() is not None


def test_objects_that_are_never_destroyed_outlive_their_last_reference() -> None:
    things = [Thing(), Thing(), Thing()]
    refs = [weakref.ref(thing) for thing in things]
    never_destroy(things[0], things[1])
    things.clear()
    assert [ref() is not None for ref in refs] == [True, True, False]
