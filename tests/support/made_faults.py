"""Faults that can be planted in a module: each changes one place of its source."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("engine", "export", "bench", "finetune", "cli")
TASTE = ("finetune/scenes", "finetune/default_model.py")  # constants of looks and of a recipe, which no test can judge
# Changes that change no result, by module and words: why.
SAME: dict[tuple[str, str], str] = {}
# Calls whose first two arguments may be swapped; click sorts the names of an option by their dashes.
_SYMMETRIC = ("min", "max", "np.minimum", "np.maximum", "np.array_equal", "math.gcd", "math.hypot", "click.option")
_TURNED: dict[type, Any] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True)
class Fault:
    """A change of one place.

    Args:
        path: Of the module, relative to the repository.
        line: Where.
        names: Public functions and classes of the module that the change concerns.
        what: In words.
        text: The module's source with the fault.
    """

    path: str
    line: int
    what: str
    names: tuple[str, ...]
    text: str


def draw_faults(seed: int, count: int, rooms: Sequence[str] = ROOMS, skip: Sequence[str] = ()) -> list[Fault]:
    """Draw faults, spread over the modules by their length."""
    draw = random.Random(seed)
    found_paths = (path for room in rooms for path in (ROOT / room).rglob("*.py") if path.name != "__init__.py")
    paths = sorted(
        path for path in found_paths if not any(path.is_relative_to(ROOT / taste) for taste in (*TASTE, *skip))
    )
    weights = [len(path.read_text().splitlines()) for path in paths]
    found: dict[tuple[str, int, str], Fault] = {}
    while len(found) < count:
        path = draw.choices(paths, weights)[0]
        faults = [fault for fault in faults_of(path) if (fault.path, fault.what) not in SAME]
        if faults:
            fault = draw.choice(faults)
            found[fault.path, fault.line, fault.what] = fault
    return list(found.values())


def faults_of(path: Path) -> Iterator[Fault]:
    """Yield every fault that can be planted in a module."""
    source = path.read_text()
    tree = ast.parse(source)
    idle = _idle_nodes(tree)
    for node in ast.walk(tree):
        change = None if id(node) in idle else _change(node)
        if change is not None:
            what, new = change
            text = _with(source.splitlines(), node, new)
            names = _concerned(tree, node.lineno)  # type: ignore[attr-defined]
            yield Fault(str(path.relative_to(ROOT)), node.lineno, what, names, text)  # type: ignore[attr-defined]


def _concerned(tree: ast.Module, line: int) -> tuple[str, ...]:
    """Return the public functions, methods and classes around a line, and those of the module that use them."""
    parts = [part for part in ast.walk(tree) if isinstance(part, (ast.FunctionDef, ast.ClassDef))]
    found = {part.name for part in parts if part.lineno <= line <= (part.end_lineno or line)}
    for part in tree.body:
        if isinstance(part, (ast.Assign, ast.AnnAssign)) and part.lineno <= line <= (part.end_lineno or line):
            found |= {name.id for name in ast.walk(part) if isinstance(name, ast.Name)}
    uses = {part.name: {_name(inner) for inner in ast.walk(part)} for part in parts}
    while more := {user for user, used in uses.items() if user not in found and used & found}:
        found |= more
    return tuple(sorted(name for name in found if not name.startswith("_")))


def _name(node: ast.AST) -> str | None:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None


def _change(node: ast.AST) -> tuple[str, ast.AST] | None:
    """Return a change of a node in words and what stands there instead, or None if this script changes no such node."""
    new: Any = copy.deepcopy(node)
    if isinstance(new, ast.Compare) and type(new.ops[0]) in _TURNED:
        new.ops[0] = _TURNED[type(new.ops[0])]()
    elif isinstance(new, (ast.BinOp, ast.BoolOp)) and type(new.op) in _TURNED:
        new.op = _TURNED[type(new.op)]()
    elif isinstance(new, ast.UnaryOp) and isinstance(new.op, (ast.Not, ast.USub)):
        new = new.operand
    elif isinstance(new, ast.IfExp):
        new.body, new.orelse = new.orelse, new.body
    elif isinstance(new, ast.Call) and len(new.args) >= 2 and not any(isinstance(a, ast.Starred) for a in new.args):
        if ast.unparse(new.func) in _SYMMETRIC:
            return None
        new.args[0], new.args[1] = new.args[1], new.args[0]
    elif isinstance(new, ast.Constant) and isinstance(new.value, bool):
        new.value = not new.value
    elif isinstance(new, ast.Constant) and isinstance(new.value, (int, float)):
        new.value = new.value + 1 if isinstance(new.value, int) else new.value * 2
    else:
        return None
    before, after = ast.unparse(node), ast.unparse(new)
    return None if before == after else (f"{before} -> {after}", new)


def _idle_nodes(tree: ast.Module) -> set[int]:
    """Return the nodes whose change would change nothing: in annotations, imports of types, messages."""
    idle: list[ast.AST] = []
    for outer in ast.walk(tree):
        idle += [found for name in ("annotation", "returns") if (found := getattr(outer, name, None)) is not None]
        if isinstance(outer, (ast.Raise, ast.JoinedStr)):
            idle.append(outer)
        if isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.unparse(outer.test):
            idle.append(outer)
        if isinstance(outer, ast.ClassDef):
            idle += outer.decorator_list  # frozen and slots
        if isinstance(outer, ast.keyword) and outer.arg == "strict":  # of zip: for our own mistakes
            idle.append(outer)
    return {id(inner) for part in idle for inner in ast.walk(part)}


def _with(lines: list[str], node: ast.AST, new: ast.AST) -> str:
    """Return the source with the text of a node replaced; the rest keeps its form."""
    first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
    head = lines[first].encode()[: node.col_offset].decode()  # type: ignore[attr-defined]
    tail = lines[last].encode()[node.end_col_offset :].decode()  # type: ignore[attr-defined]
    return "\n".join([*lines[:first], f"{head}({ast.unparse(new)}){tail}", *lines[last + 1 :]]) + "\n"
