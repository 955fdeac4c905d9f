"""A with-block closes what it holds, also after an error."""

from __future__ import annotations

import pytest

from depthrt.engine.system.closable import Closable


class Held(Closable):
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_block_gives_the_object_and_closes_it() -> None:
    held = Held()
    with held as given:
        assert given is held and held.closed == 0
    assert held.closed == 1


def test_an_error_passes_and_the_object_is_closed() -> None:
    held = Held()
    with pytest.raises(ValueError, match="mine"), held:
        raise ValueError("mine")
    assert held.closed == 1


def test_an_object_that_cannot_be_closed_cannot_be_made() -> None:
    class Nothing(Closable):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Nothing()  # type: ignore[abstract]
