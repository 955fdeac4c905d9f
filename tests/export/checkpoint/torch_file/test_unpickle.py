"""Pickles are read instruction by instruction, and nothing that they name is imported, made or called."""

from __future__ import annotations

import io
import pickle
import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_pickles import called, named, on_stack, text, whole

from depthrt.export.checkpoint.torch_file.names import NeedsCode
from depthrt.export.checkpoint.torch_file.objects import Named, StandIn
from depthrt.export.checkpoint.torch_file.unpickle import MOST_BYTES, MOST_STEPS, Malformed, unpickle

MARK, BUILD, EMPTY = pickle.MARK, pickle.BUILD, pickle.EMPTY_TUPLE + pickle.REDUCE
SHELL = called(named("somewhere", "Thing"))


def read(content: bytes) -> object:
    def refuse(found: object) -> object:
        raise NeedsCode("an object outside the file")

    return unpickle(io.BytesIO(content), refuse)


PLAIN: list[object] = [
    None,
    True,
    False,
    0,
    255,
    65536,
    -1,
    2**31,
    10**30,
    -(10**30),
    0.5,
    "",
    "größer",
    "\n\\'",
    b"",
    b"\x00\xff",
]
PLAIN += [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1, [2]], {}, {"a": {"b": [1]}}, {1: "x", None: 2.0}]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_are_read_as_python_reads_them(protocol: int) -> None:
    assert read(pickle.dumps(PLAIN, protocol)) == PLAIN
    shared = [[1]] * 2
    found = read(pickle.dumps(shared, protocol))
    assert isinstance(found, list) and found[0] is found[1]


def test_a_list_that_holds_itself_is_read() -> None:
    circle: list[object] = []
    circle.append(circle)
    found = read(pickle.dumps(circle, 2))
    assert isinstance(found, list) and found[0] is found


# Each would run code or change the machine in Python's own reader, or reach for something outside the file.
ATTACKS = {
    "a call of a builtin": (called(named("builtins", "eval"), text("1")), "eval"),
    "a call of a builtin by its old name": (called(named("__builtin__", "eval"), text("1")), "eval"),
    "a name on the stack": (called(on_stack("os", "system"), text("true")), "os.system"),
    "a system call": (called(named("posix", "system"), text("true")), "posix.system"),
    "a module of Python 2": (called(named("commands", "getoutput"), text("true")), "subprocess.getoutput"),
    "a name that is never called": (named("subprocess", "Popen"), "subprocess.Popen"),
    "a walk from a class": (on_stack("collections", "OrderedDict.__init__.__globals__"), "collections.OrderedDict._"),
    "a walk from a stand-in": (on_stack("somewhere", "Thing.__class__.__base__"), "somewhere.Thing.__class__"),
    "a submodule by a dot": (on_stack("collections", "abc.sys.modules"), "collections.abc.sys"),
    "getattr of a dunder": (
        called(named("builtins", "getattr"), named("somewhere", "Thing"), text("__subclasses__")),
        "getattr",
    ),
    "getattr of a value": (called(named("builtins", "getattr"), text("x"), text("format")), "getattr"),
    "getattr of a stand-in": (called(named("builtins", "getattr"), SHELL, text("run")), "getattr"),
    "a class made by type": (
        called(named("builtins", "type"), text("X"), pickle.EMPTY_TUPLE, pickle.EMPTY_DICT),
        "type",
    ),
    "a call of a stand-in": (SHELL + EMPTY, "a call of a somewhere.Thing"),
    "a call of a partial": (
        called(called(named("functools", "partial"), named("somewhere", "run"))),
        "a call of a functools.partial",
    ),
    "a partial of a system call": (called(named("functools", "partial"), named("os", "system")), "os.system"),
    "a call of a text": (text("x") + EMPTY, "a call of a str"),
    "state for a class": (named("somewhere", "Thing") + pickle.EMPTY_DICT + BUILD, "the state of a somewhere.Thing"),
    "state for a list": (pickle.EMPTY_LIST + pickle.EMPTY_DICT + BUILD, "the state of a list"),
    "INST": (MARK + text("true") + b"iposix\nsystem\n", "posix.system"),
    "OBJ": (MARK + named("posix", "system") + text("true") + pickle.OBJ, "posix.system"),
    "NEWOBJ": (named("subprocess", "Popen") + pickle.EMPTY_TUPLE + pickle.NEWOBJ, "subprocess.Popen"),
    "NEWOBJ_EX": (
        named("subprocess", "Popen") + pickle.EMPTY_TUPLE + pickle.EMPTY_DICT + pickle.NEWOBJ_EX,
        "subprocess.Popen",
    ),
    "EXT1": (b"\x82\x01", "an extension of the machine"),
    "EXT2": (b"\x83\x01\x00", "an extension of the machine"),
    "EXT4": (b"\x84\x01\x00\x00\x00", "an extension of the machine"),
    "a persistent id as a line": (b"P0\n", "an object outside the file"),
    "a persistent id": (text("x") + pickle.BINPERSID, "an object outside the file"),
    "a buffer outside": (pickle.NEXT_BUFFER, "a buffer outside the file"),
    "torch.load": (called(named("torch", "load"), text("x")), "torch.load"),
    "torch.load of bytes": (called(named("torch.storage", "_load_from_bytes"), text("x")), "torch.storage._load_from_"),
    "torch.hub": (called(named("torch.hub", "load"), text("x")), "torch.hub.load"),
    "code run by numpy": (called(named("numpy.testing._private.utils", "runstring"), text("x")), "numpy.testing."),
    "a function of torch by its class": (
        called(called(named("builtins", "getattr"), named("torch.jit", "ScriptModule"), text("load"))),
        "torch.jit.ScriptModule.load",
    ),
    "a pickle in a pickle": (called(named("_pickle", "loads"), text("x")), "_pickle.loads"),
    "a pickled function": (called(named("cloudpickle.cloudpickle", "_make_function"), text("x")), "cloudpickle."),
    "pip": (called(named("pip._internal", "main"), text("x")), "pip._internal.main"),
    "a module without a name": (named("", "system"), ".system"),
}


@pytest.fixture
def modules() -> Iterator[None]:
    """Hold a reading to importing nothing."""
    before = set(sys.modules)
    yield
    assert set(sys.modules) == before


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize(("instructions", "name"), ATTACKS.values(), ids=ATTACKS)
def test_what_could_run_code_is_refused_by_name(
    instructions: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    with pytest.raises(NeedsCode) as caught:
        read(whole(instructions, protocol=4))
    assert str(caught.value).startswith(name)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("name", ["somewhere.Class", "antigravity_of_mine.fly", "__main__.Config"])
def test_an_unknown_class_is_stood_in_for_without_importing_it(name: str) -> None:
    module, _, last = name.rpartition(".")
    for instructions in (
        called(named(module, last), text("x")),
        named(module, last) + pickle.EMPTY_TUPLE + pickle.NEWOBJ,
        on_stack(module, last) + pickle.EMPTY_TUPLE + pickle.EMPTY_DICT + pickle.NEWOBJ_EX,
        MARK + f"i{module}\n{last}\n".encode(),
        MARK + named(module, last) + pickle.OBJ,
    ):
        state = MARK + text("__setstate__") + text("x") + text("__class__") + text("y") + pickle.DICT + BUILD
        found = read(whole(instructions, state))
        assert isinstance(found, StandIn) and found.name == name
        assert not found.items


def test_a_stand_in_keeps_the_items_of_a_mapping_and_drops_those_of_a_list() -> None:
    items = MARK + text("a") + pickle.NONE + text("b") + pickle.NEWTRUE + pickle.SETITEMS
    found = read(whole(SHELL, items, pickle.NEWFALSE, pickle.APPEND))
    assert isinstance(found, StandIn) and found.items == {"a": None, "b": True}


def test_a_key_that_hashes_deeply_is_not_hashed() -> None:
    deep = pickle.NONE + pickle.TUPLE1 * 300_000
    found = read(whole(pickle.EMPTY_DICT, deep, pickle.NONE, pickle.SETITEM))
    assert isinstance(found, dict) and [type(key) for key in found] == [StandIn]


DAMAGE = {
    "nothing": b"",
    "no end": pickle.NONE,
    "an empty stack": pickle.STOP,
    "a mark as the result": MARK + pickle.STOP,
    "no mark": pickle.NONE + pickle.TUPLE + pickle.STOP,
    "an unknown instruction": b"\xff",
    "a text that is cut off": pickle.BINUNICODE + struct.pack("<I", 100) + b"short",
    "a huge text": pickle.BINUNICODE + struct.pack("<I", MOST_BYTES + 1),
    "a huge byte string": pickle.BINBYTES8 + struct.pack("<Q", 2**63),
    "a negative length": pickle.LONG4 + struct.pack("<i", -1),
    "a long number as text": pickle.INT + b"9" * 5000 + b"\n.",
    "a number that is none": pickle.INT + b"x\n.",
    "a line without an end": pickle.INT + b"1",
    "an unknown memory place": pickle.BINGET + b"\x01.",
    "a memory place below 0": pickle.NONE + pickle.PUT + b"-1\n.",
    "a text that is not UTF-8": pickle.SHORT_BINUNICODE + b"\x02\xff\xff.",
    "items for a number": pickle.NONE + pickle.NONE + pickle.NONE + pickle.SETITEM + pickle.STOP,
    "an odd number of items": pickle.EMPTY_DICT + MARK + pickle.NONE + pickle.SETITEMS + pickle.STOP,
    "an item for a tuple": pickle.EMPTY_TUPLE + pickle.NONE + pickle.APPEND + pickle.STOP,
    "a name that is no text": pickle.NONE + pickle.NONE + pickle.STACK_GLOBAL + pickle.STOP,
    "arguments that are no tuple": named("somewhere", "Thing") + pickle.NONE + pickle.REDUCE + pickle.STOP,
    "a class name without text": b"c\xff\n\xff\n.",
    "pairs that are none": called(named("collections", "OrderedDict"), pickle.NEWTRUE) + pickle.STOP,
    "no arguments of getattr": called(named("builtins", "getattr")) + pickle.STOP,
    "no arguments of a tensor": called(named("torch._utils", "_rebuild_tensor_v2")) + pickle.STOP,
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_pickle_is_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        read(content)


def test_a_pickle_of_endless_instructions_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_STEPS >= 1_000_000
    monkeypatch.setattr("depthrt.export.checkpoint.torch_file.unpickle.MOST_STEPS", 1000)
    with pytest.raises(Malformed, match="more than 1000 instructions"):
        read(pickle.NONE * 2000)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("seed", range(20))
def test_random_instructions_end_in_a_value_or_in_one_of_two_errors(seed: int) -> None:
    chance = random.Random(seed)
    parts = [bytes([code]) for code in range(256)] + [named("builtins", "getattr"), named("somewhere", "Thing")]
    parts += [text("x"), named("os", "system"), SHELL, MARK, pickle.EMPTY_TUPLE, pickle.REDUCE, BUILD] * 8
    for _ in range(300):
        content = b"".join(chance.choices(parts, k=40)) + pickle.STOP
        try:
            read(content)
        except (NeedsCode, Malformed):
            continue


def test_a_name_is_read_as_a_name(tmp_path: Path) -> None:
    assert isinstance(read(whole(named("somewhere", "function"))), Named)
