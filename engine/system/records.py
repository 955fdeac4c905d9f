"""Reads records that were written as JSON, with exactly their keys."""

from __future__ import annotations

from dataclasses import fields
from typing import TypeVar

from ..errors import ContractError

_T = TypeVar("_T")


def read_record(
    cls: type[_T], found: object, *, of: str = "the contract", remedy: str = "export the model again"
) -> _T:
    """Build a dataclass from a JSON object with exactly its keys; lists become tuples.

    Args:
        cls: The dataclass.
        found: What json.loads gave.
        of: What the object is part of, for the error.
        remedy: What to do about a wrong object.

    Raises:
        ContractError: It is no object, or has unknown or missing keys.
    """
    if not isinstance(found, dict):
        raise ContractError(f"{of}'s {cls.__name__} is {found!r}, expected an object; {remedy}")
    expected = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    if found.keys() != expected:
        unknown, missing = sorted(found.keys() - expected), sorted(expected - found.keys())
        raise ContractError(f"{of}'s {cls.__name__} has unknown keys {unknown} and lacks {missing}; {remedy}")
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in found.items()})
