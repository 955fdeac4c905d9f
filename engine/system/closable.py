"""Objects that hold something and are closed, by hand or at the end of a with-block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

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
