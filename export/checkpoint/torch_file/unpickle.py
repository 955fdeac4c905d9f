"""A pickle becomes plain values, tensors and stand-ins: no class of the file is imported, made or called."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from typing import BinaryIO

from .names import NeedsCode, full_name
from .objects import StandIn, call, key_of, name_object, type_name
from .stored import StoredTensor

MOST_BYTES = 64 << 20  # of one text or byte string in a pickle
MOST_STEPS = 8_000_000  # of one pickle; a training file with an optimizer has some 10,000, a million numbers a million

Persistent = Callable[[object], object]
_MARK = object()
_LINES = "expected a line"


class Malformed(Exception):
    """A pickle is damaged, or larger than any training file's."""


def unpickle(stream: BinaryIO, persistent: Persistent) -> object:
    """Read one pickle; the stream then stands behind it.

    Args:
        stream: At the start of the pickle.
        persistent: Returns the object for a persistent id; it may raise NeedsCode or ValueError.

    Raises:
        NeedsCode: It names or calls what could run code.
        Malformed: It is damaged or too large.
    """
    machine = _Machine(stream, persistent)
    try:
        return machine.run()
    except (IndexError, KeyError, ValueError, TypeError, AttributeError, struct.error, OverflowError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


class _Machine:
    def __init__(self, stream: BinaryIO, persistent: Persistent) -> None:
        self.stream = stream
        self.persistent = persistent
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}

    def run(self) -> object:
        for _ in range(MOST_STEPS):
            code = self.stream.read(1)
            if not code:
                raise Malformed("it ends in its middle")
            if code == pickle.STOP:
                return self.pop()
            step = _STEPS.get(code)
            if step is None:
                raise Malformed(f"unknown instruction {code!r}")
            step(self)
        raise Malformed(f"it has more than {MOST_STEPS} instructions")

    def take(self, size: int) -> bytes:
        if not 0 <= size <= MOST_BYTES:
            raise Malformed(f"a text of {size} bytes, expected at most {MOST_BYTES}")
        found = self.stream.read(size)
        if len(found) != size:
            raise Malformed("it ends in its middle")
        return found

    def number(self, form: str) -> int:
        (found,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(found)

    def line(self) -> bytes:
        found = self.stream.readline(MOST_BYTES)
        if not found.endswith(b"\n"):
            raise Malformed(_LINES)
        return found[:-1]

    def push(self, found: object) -> None:
        self.stack.append(found)

    def pop(self) -> object:
        found = self.stack.pop()
        if found is _MARK:
            raise Malformed("a mark in the place of a value")
        return found

    def top(self) -> object:
        if self.stack[-1] is _MARK:
            raise Malformed("a mark in the place of a value")
        return self.stack[-1]

    def since_mark(self) -> list[object]:
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                found = self.stack[place + 1 :]
                del self.stack[place:]
                return found
        raise Malformed("no mark")

    def name(self, module: object, name: object) -> object:
        if not isinstance(module, str) or not isinstance(name, str):
            raise Malformed("a class without a name")
        return name_object(full_name(module, name))

    def make(self, owner: object, arguments: object) -> None:
        self.push(call(owner, arguments))

    def build(self) -> None:
        state, made = self.pop(), self.top()
        if isinstance(made, StandIn) and made.name == _PARAMETER and isinstance(state, tuple) and state:
            if isinstance(state[0], StoredTensor):  # parameters of torch before 0.4
                self.stack[-1] = state[0]
        elif not isinstance(made, StandIn | StoredTensor | dict):
            raise NeedsCode(f"the state of a {type_name(made)}")

    def set_items(self, items: list[object]) -> None:
        target = self.top()
        mapping = target.items if isinstance(target, StandIn) else target
        if not isinstance(mapping, dict) or len(items) % 2:
            raise Malformed("items for what is no mapping")
        for key, value in zip(items[::2], items[1::2], strict=True):
            mapping[key_of(key)] = value

    def append(self, items: list[object]) -> None:
        target = self.top()
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, StandIn):
            raise Malformed("items for what is no list")

    def remember(self, place: int) -> None:
        if place < 0:
            raise Malformed("a memory place below 0")
        self.memo[place] = self.top()

    def instance(self, owner: object) -> None:
        """Make an object of a class with the arguments since the mark."""
        if owner is None:
            owner, *arguments = self.since_mark()
        else:
            arguments = self.since_mark()
        self.make(owner, tuple(arguments))


_PARAMETER = "torch.nn.parameter.Parameter"


def _text(raw: bytes) -> str | bytes:
    """Return a byte string of Python 2 as text, if it is text."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def _integer(line: bytes) -> int | bool:
    if line in (b"00", b"01"):  # how protocol 0 writes False and True
        return line == b"01"
    return int(line.rstrip(b"L"))


def _quoted(line: bytes) -> str | bytes:
    if len(line) < 2 or line[:1] not in b"'\"" or line[:1] != line[-1:]:
        raise Malformed("a text without quotes")
    return _text(line[1:-1].decode("unicode_escape").encode("latin-1"))


def _pair(machine: _Machine) -> tuple[object, object]:
    second = machine.pop()
    return machine.pop(), second


def _reduce(machine: _Machine) -> None:
    machine.make(*_pair(machine))


def _new_with_keywords(machine: _Machine) -> None:
    machine.pop()  # the keywords
    _reduce(machine)


def _global(machine: _Machine) -> object:
    module, name = machine.line().decode(), machine.line().decode()
    return machine.name(module, name)


def _stack_global(machine: _Machine) -> None:
    machine.push(machine.name(*_pair(machine)))


def _refuse(what: str) -> Callable[[_Machine], None]:
    def step(machine: _Machine) -> None:
        raise NeedsCode(what)

    return step


def _pushed(value: Callable[[_Machine], object]) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(value(machine))


def _tuple(size: int) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(tuple([machine.pop() for _ in range(size)][::-1]))


def _set_of_mark(machine: _Machine) -> object:
    machine.since_mark()
    return StandIn("builtins.frozenset")


def _dict_of_mark(machine: _Machine) -> None:
    items = machine.since_mark()
    machine.push({})
    machine.set_items(items)


def _sized(form: str) -> Callable[[_Machine], bytes]:
    return lambda machine: machine.take(machine.number(form))


def _decoded(form: str) -> Callable[[_Machine], str]:
    return lambda machine: machine.take(machine.number(form)).decode("utf-8", "surrogatepass")


_STEPS: dict[bytes, Callable[[_Machine], object]] = {
    pickle.PROTO: lambda m: m.take(1),
    pickle.FRAME: lambda m: m.take(8),
    pickle.MARK: lambda m: m.push(_MARK),
    pickle.POP: lambda m: m.stack.pop(),
    pickle.POP_MARK: lambda m: m.since_mark(),
    pickle.DUP: lambda m: m.push(m.top()),
    # Plain values
    pickle.NONE: lambda m: m.push(None),
    pickle.NEWTRUE: lambda m: m.push(True),
    pickle.NEWFALSE: lambda m: m.push(False),
    pickle.INT: _pushed(lambda m: _integer(m.line())),
    pickle.LONG: _pushed(lambda m: _integer(m.line())),
    pickle.BININT: _pushed(lambda m: m.number("<i")),
    pickle.BININT1: _pushed(lambda m: m.number("<B")),
    pickle.BININT2: _pushed(lambda m: m.number("<H")),
    pickle.LONG1: _pushed(lambda m: pickle.decode_long(_sized("<B")(m))),
    pickle.LONG4: _pushed(lambda m: pickle.decode_long(_sized("<i")(m))),
    pickle.FLOAT: _pushed(lambda m: float(m.line())),
    pickle.BINFLOAT: _pushed(lambda m: struct.unpack(">d", m.take(8))[0]),
    pickle.STRING: _pushed(lambda m: _quoted(m.line())),
    pickle.BINSTRING: _pushed(lambda m: _text(_sized("<i")(m))),
    pickle.SHORT_BINSTRING: _pushed(lambda m: _text(_sized("<B")(m))),
    pickle.UNICODE: _pushed(lambda m: m.line().decode("raw_unicode_escape")),
    pickle.BINUNICODE: _pushed(_decoded("<I")),
    pickle.SHORT_BINUNICODE: _pushed(_decoded("<B")),
    pickle.BINUNICODE8: _pushed(_decoded("<Q")),
    pickle.BINBYTES: _pushed(_sized("<I")),
    pickle.SHORT_BINBYTES: _pushed(_sized("<B")),
    pickle.BINBYTES8: _pushed(_sized("<Q")),
    pickle.BYTEARRAY8: _pushed(_sized("<Q")),
    # Containers
    pickle.EMPTY_TUPLE: lambda m: m.push(()),
    pickle.TUPLE1: _tuple(1),
    pickle.TUPLE2: _tuple(2),
    pickle.TUPLE3: _tuple(3),
    pickle.TUPLE: _pushed(lambda m: tuple(m.since_mark())),
    pickle.EMPTY_LIST: lambda m: m.push([]),
    pickle.LIST: _pushed(lambda m: m.since_mark()),
    pickle.APPEND: lambda m: m.append([m.pop()]),
    pickle.APPENDS: lambda m: m.append(m.since_mark()),
    pickle.EMPTY_DICT: lambda m: m.push({}),
    pickle.DICT: _dict_of_mark,
    pickle.SETITEM: lambda m: m.set_items([*_pair(m)]),
    pickle.SETITEMS: lambda m: m.set_items(m.since_mark()),
    pickle.EMPTY_SET: lambda m: m.push(StandIn("builtins.set")),
    pickle.ADDITEMS: lambda m: m.append(m.since_mark()),
    pickle.FROZENSET: _pushed(_set_of_mark),
    # The memory
    pickle.PUT: lambda m: m.remember(int(m.line())),
    pickle.BINPUT: lambda m: m.remember(m.number("<B")),
    pickle.LONG_BINPUT: lambda m: m.remember(m.number("<I")),
    pickle.MEMOIZE: lambda m: m.remember(len(m.memo)),
    pickle.GET: lambda m: m.push(m.memo[int(m.line())]),
    pickle.BINGET: lambda m: m.push(m.memo[m.number("<B")]),
    pickle.LONG_BINGET: lambda m: m.push(m.memo[m.number("<I")]),
    # Classes, functions and objects
    pickle.GLOBAL: _pushed(_global),
    pickle.STACK_GLOBAL: _stack_global,
    pickle.REDUCE: _reduce,
    pickle.NEWOBJ: _reduce,
    pickle.NEWOBJ_EX: _new_with_keywords,
    pickle.BUILD: lambda m: m.build(),
    pickle.INST: lambda m: m.instance(_global(m)),
    pickle.OBJ: lambda m: m.instance(None),
    pickle.BINPERSID: _pushed(lambda m: m.persistent(m.pop())),
    pickle.PERSID: _refuse("an object outside the file"),
    pickle.EXT1: _refuse("an extension of the machine that wrote it"),
    pickle.EXT2: _refuse("an extension of the machine that wrote it"),
    pickle.EXT4: _refuse("an extension of the machine that wrote it"),
    pickle.NEXT_BUFFER: _refuse("a buffer outside the file"),
    pickle.READONLY_BUFFER: _refuse("a buffer outside the file"),
}
