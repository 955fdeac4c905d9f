"""A with-block closes what it holds, also after an error."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable

import pytest

from depthrt.engine.errors import InputError
from depthrt.engine.system.closable import Closable, tell_of_forks


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


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_holder_is_not_copied(duplicate: Callable[[object], object]) -> None:
    with pytest.raises(InputError, match="a Held cannot be copied or sent to another process; share it between thre"):
        duplicate([Held()] if duplicate is copy.deepcopy else Held())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_holder_is_told_in_a_forked_child_only() -> None:
    class Inheriting(Held):
        told = False

        def after_fork(self) -> None:
            self.told = True

    holder = Inheriting()
    tell_of_forks(holder)
    child = os.fork()
    if child == 0:
        os._exit(7 if holder.told else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert not holder.told
