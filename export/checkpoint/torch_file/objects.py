"""What a pickle builds here: plain values, tensors that are read later, and inert stand-ins for everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from .names import NeedsCode, check_call
from .stored import StoredTensor, rebuild

_REBUILD = "torch._utils."
_FROM_TYPE = ("torch._tensor._rebuild_from_type", "torch._tensor._rebuild_from_type_v2")
_PARAMETERS = ("torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer", "torch.Tensor")
_DICTS = {f"{module}.{name}" for module in ("collections", "_collections") for name in ("OrderedDict", "defaultdict")}
_DICTS |= {"collections.Counter", "builtins.dict"}


@dataclass(eq=False, frozen=True, slots=True)
class Named:
    """A class or function, known by its name only."""

    name: str


@dataclass(eq=False, frozen=True, slots=True)
class StandIn:
    """An object whose class was not run.

    Args:
        name: Of its class, or of the function that makes it.
        items: Its items, if its class is a mapping.
    """

    name: str
    items: dict[object, object] = field(default_factory=dict)


def name_object(name: str) -> object:
    """Return what a name in a pickle stands for: a type of torch's numbers, or the name itself."""
    dtype = vars(torch).get(name.removeprefix("torch.")) if name.startswith("torch.") else None
    return dtype if isinstance(dtype, torch.dtype) else Named(name)


def call(function: object, arguments: object) -> object:
    """Return what a call would make, without calling it.

    Raises:
        NeedsCode: The call could run code, or what is called is no class or function.
        ValueError: The arguments make no such value.
    """
    if not isinstance(function, Named):
        raise NeedsCode(f"a call of a {type_name(function)}")
    if not isinstance(arguments, tuple):
        raise ValueError(f"{function.name} is called without a tuple")
    name = function.name
    check_call(name)
    if name in _DICTS:
        return _dictionary(arguments)
    if name == "torch.Size" and len(arguments) == 1:
        return arguments[0]
    if name.startswith(_REBUILD):
        return rebuild(name.removeprefix(_REBUILD), arguments)
    if name in _FROM_TYPE:
        return _from_type(*arguments)
    if name in _PARAMETERS and arguments and isinstance(arguments[0], StoredTensor):
        return arguments[0]
    made = _MADE.get(name)
    return made(arguments) if made else StandIn(name)


def type_name(found: object) -> str:
    """Return the name of the class that an object of a pickle has."""
    return found.name if isinstance(found, StandIn | Named) else type(found).__name__


def _dictionary(arguments: tuple[object, ...]) -> dict[object, object]:
    """Return a mapping with the items that a mapping or a list of pairs holds."""
    made: dict[object, object] = {}
    for argument in arguments:
        pairs = argument.items() if isinstance(argument, dict) else argument
        if isinstance(pairs, Named) or pairs is None:  # the factory of a defaultdict
            continue
        if isinstance(pairs, StandIn):
            pairs = pairs.items.items()
        for pair in pairs:  # type: ignore[attr-defined] # anything else is a TypeError, which the reader words
            key, value = pair
            made[key_of(key)] = value
    return made


def key_of(found: object) -> object:
    """Return a key for a mapping: plain values themselves, others by identity, so that no deep value is hashed."""
    return found if isinstance(found, str | int | float | bytes | None) else StandIn(type_name(found))


def _from_type(function: object, made_type: object, arguments: object, *state: object) -> object:
    """Return the tensor below a tensor that has attributes; tensors of other classes are not plain."""
    made = call(function, arguments)
    plain = isinstance(made_type, Named) and made_type.name in _PARAMETERS
    return made if plain else StoredTensor(None, f"a tensor of class {type_name(made_type)}")


def _encode(arguments: tuple[object, ...]) -> object:
    """Return bytes that protocol 2 writes as text."""
    text, *encoding = arguments
    plain = isinstance(text, str) and encoding in (["latin1"], ["latin-1"], ["utf-8"])
    return text.encode(str(encoding[0])) if plain and isinstance(text, str) else StandIn("builtins.bytes")


def _attribute(arguments: tuple[object, ...]) -> object:
    """Return the name of a class inside a class, or of a member of an enumeration."""
    owner, name = arguments
    if not isinstance(owner, Named) or not isinstance(name, str) or name.startswith("__") or "." in name:
        raise NeedsCode("getattr")
    return Named(f"{owner.name}.{name}")


def _type_of(arguments: tuple[object, ...]) -> object:
    """Return the name of a value's type; a call with three arguments would make a class."""
    if len(arguments) != 1:
        raise NeedsCode("type")
    return Named(type_name(arguments[0]))


def _wrapped(arguments: tuple[object, ...]) -> object:
    """Return what copyreg's functions make of a class, its built-in base and the value of that base."""
    owner, *_, value = arguments
    made = call(owner, ())
    if isinstance(made, StandIn) and isinstance(value, dict):
        made.items.update(value)
    return made


_MADE: dict[str, Callable[[tuple[object, ...]], object]] = {
    "_codecs.encode": _encode,
    "builtins.bytes": lambda arguments: StandIn("builtins.bytes") if arguments else b"",
    "builtins.getattr": _attribute,
    "builtins.type": _type_of,
    "copyreg._reconstructor": _wrapped,
    "copyreg.__newobj__": _wrapped,
    "copyreg.__newobj_ex__": _wrapped,
}
