"""Plants faults in the package, one at a time, and counts those that its tests notice: python tests/planted_faults.py.

A fault is a change of one place in the code, drawn from a seed: a comparison turned around, a constant moved, two
arguments swapped, a condition dropped. It is noticed if a test fails: those of the module's own file first, then those
that name the module, then those of its folder. Works in a copy of the repository; run by hand, as it takes an hour.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("engine", "export", "bench", "finetune", "cli")
TASTE = ("finetune/scenes", "finetune/default_model.py")  # constants of looks and of a recipe, which no test can judge
LONGEST_S = 120.0  # of a fault's tests; a hang is noticed too
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
        what: In words.
        text: The module's source with the fault.
    """

    path: str
    line: int
    what: str
    text: str


def draw_faults(seed: int, count: int, rooms: tuple[str, ...]) -> list[Fault]:
    """Draw faults, spread over the modules by their length."""
    draw = random.Random(seed)
    found_paths = (path for room in rooms for path in (ROOT / room).rglob("*.py") if path.name != "__init__.py")
    paths = sorted(path for path in found_paths if not any(path.is_relative_to(ROOT / taste) for taste in TASTE))
    weights = [len(path.read_text().splitlines()) for path in paths]
    found: dict[tuple[str, int, str], Fault] = {}
    while len(found) < count:
        path = draw.choices(paths, weights)[0]
        faults = list(faults_of(path))
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
            yield Fault(str(path.relative_to(ROOT)), node.lineno, what, text)  # type: ignore[attr-defined]


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
    return {id(inner) for part in idle for inner in ast.walk(part)}


def _with(lines: list[str], node: ast.AST, new: ast.AST) -> str:
    """Return the source with the text of a node replaced; the rest keeps its form."""
    first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
    head = lines[first].encode()[: node.col_offset].decode()  # type: ignore[attr-defined]
    tail = lines[last].encode()[node.end_col_offset :].decode()  # type: ignore[attr-defined]
    return "\n".join([*lines[:first], f"{head}({ast.unparse(new)}){tail}", *lines[last + 1 :]]) + "\n"


def is_noticed(fault: Fault, copy_of_root: Path) -> str | None:
    """Return the tests that notice a fault, None if none does; the fault is taken out again."""
    path = copy_of_root / fault.path
    good = path.read_text()
    path.write_text(fault.text)
    try:
        return next((tests[0] for tests in _tests_of(fault) if _fails(tests, copy_of_root)), None)
    finally:
        path.write_text(good)


def _tests_of(fault: Fault) -> list[list[str]]:
    """Return the tests to try, the nearest first."""
    path = Path(fault.path)
    own = ROOT / "tests" / path.parent / f"test_{path.name}"
    dotted = f"depthrt.{'.'.join(path.with_suffix('').parts)}"
    naming = [test for test in sorted((ROOT / "tests").rglob("test_*.py")) if dotted in test.read_text()]
    folder = ROOT / "tests" / path.parent
    parts = [[own] if own.exists() else [], [test for test in naming if test != own]]
    parts.append([folder] if folder.exists() else [])
    return [[str(test.relative_to(ROOT)) for test in tests] for tests in parts if tests]


def _fails(tests: list[str], copy_of_root: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy_of_root / ".dev"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(
            command, cwd=copy_of_root, env=environment, capture_output=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return len(tests) == 1 and tests[0].endswith(".py")  # a hang; the others may only be slow
    return run.returncode not in {0, 5}  # 5: no test was selected


def main() -> None:
    """Plant faults and print what became of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", nargs="+", default=list(ROOMS))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    faults = draw_faults(options.seed, options.faults, tuple(options.rooms))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        copies = [Path(folder) / str(number) for number in range(options.jobs)]
        for home in copies:
            subprocess.run(["git", "worktree", "add", "-q", "--detach", home, "HEAD"], cwd=ROOT, check=True)
        try:
            shares = [faults[job :: options.jobs] for job in range(options.jobs)]
            noticed = sum(pool.map(report_faults, shares, copies))
        finally:
            for home in copies:
                subprocess.run(["git", "worktree", "remove", "--force", home], cwd=ROOT, check=True)
    print(f"{noticed} of {len(faults)} faults were noticed")


def report_faults(faults: list[Fault], home: Path) -> int:
    """Plant the faults of one job; print each, and return the number noticed."""
    noticed = 0
    for fault in faults:
        tests = is_noticed(fault, home)
        noticed += tests is not None
        print(f"{'noticed' if tests else 'NOT NOTICED'}: {fault.path}:{fault.line}: {fault.what[:150]}", flush=True)
    return noticed


if __name__ == "__main__":
    main()
