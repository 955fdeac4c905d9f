"""Objects that hold something: they are closed, they are not copied, and a forked child lets them go."""

from __future__ import annotations

import ctypes
import os
from abc import ABC, abstractmethod
from types import TracebackType
from typing import NoReturn, Protocol, SupportsIndex, TypeVar
from weakref import WeakSet

from ..errors import InputError

Own = TypeVar("Own", bound="Closable")  # typing.Self comes with Python 3.11


class Closable(ABC):
    """An object with close(); a with-block calls it at its end."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Free what is held."""

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse copies and pickles: two objects would hold, and close, the same."""
        raise InputError(
            f"a {type(self).__name__} cannot be copied or sent to another process; share it between threads, or make "
            "one in each process, such as with depthrt.load"
        )


class Inherited(Protocol):
    """An object with threads or a GPU behind it, which do not come along when the process is forked."""

    def after_fork(self) -> None:
        """Let go of what was inherited without destroying it; called in the child. Takes no lock: it may be held."""


def tell_of_forks(holder: Inherited) -> None:
    """Call the holder's after_fork in every child that is forked while it lives."""
    _LIVING.add(holder)


def never_destroy(*objects: object) -> None:
    """Keep objects until the process ends, because their destructors would wait for threads or abort."""
    for kept in objects:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))


_LIVING: WeakSet[Inherited] = WeakSet()


def _after_fork() -> None:
    for holder in list(_LIVING):
        holder.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
