"""Licences of published weights by name: their text, what they restrict, and which the user has accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

from ..engine.errors import InputError
from ..engine.system.cache.store import Key, Store

ACCEPTED = Store("licences", "accepted")


class Licensed(Protocol):
    """Weights with a name and a licence: a model of the catalog, or a repository."""

    @property
    def name(self) -> str:
        """Return the name by which its licence is accepted."""

    @property
    def licence(self) -> str:
        """Return the licence's name."""


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence of weights.

    Args:
        name: As publishers state it.
        link: Of its text.
        restriction: What it forbids, in few words; "" for a licence that allows any use.
    """

    name: str
    link: str
    restriction: str = ""

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.name} ({self.restriction}), {self.link}" if self.restriction else f"{self.name}, {self.link}"


UNKNOWN = "unknown"  # in place of a licence that nobody states

LICENCES: dict[str, Licence] = {
    licence.name: licence
    for licence in (
        Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
        Licence("MIT", "https://opensource.org/license/mit"),
        Licence("CC-BY-NC-4.0", "https://creativecommons.org/licenses/by-nc/4.0/legalcode", "no commercial use"),
        Licence(
            "OpenRAIL++-M",
            "https://huggingface.co/stabilityai/stable-diffusion-2/blob/main/LICENSE-MODEL",
            "not for the uses that its attachment A lists",
        ),
    )
}


def licence_of(entry: Licensed) -> Licence:
    """Return the licence of a published model."""
    return LICENCES[entry.licence]


def licence_words(name: str) -> str:
    """Return a licence's name, with what it restricts and its link if it is a known one."""
    licence = LICENCES.get(name)
    return name if licence is None else str(licence)


def check_accepted(entry: Licensed, accepted: bool) -> None:
    """Refuse a model whose licence is known to restrict its use until the user has accepted it, which is remembered.

    Args:
        entry: The model.
        accepted: Whether the user accepts its licence now.

    Raises:
        InputError: The licence was not accepted, now or before; with its name and link.
    """
    licence = LICENCES.get(entry.licence)
    if licence is None or not licence.restriction:
        return
    if accepted:
        ACCEPTED.remember(_key(entry), datetime.now(timezone.utc).isoformat(timespec="seconds"))
    elif not was_accepted(entry):
        raise InputError(
            f"{entry.name} has the licence {licence}; read it, then give --accept-licence once if you accept it"
        )


def was_accepted(entry: Licensed) -> bool:
    """Return whether the user has accepted the licence of a model on this machine."""
    return ACCEPTED.recall(_key(entry), str, remedy="the licence counts as not accepted") is not None


def _key(entry: Licensed) -> Key:
    return {"model": entry.name, "licence": entry.licence}
