"""Makes README's table of families from `depthrt models --json`: python docs/families_table.py [--write].

Without --write the table is printed.
"""

# ruff: noqa: T201
from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

README = Path(__file__).parents[1] / "README.md"
HEADING = "| family | names for `export` and `fetch` | depth | default size, px | licence | run against a witness |"
_TABLE = re.compile(rf"{re.escape(HEADING)}\n(\|.*\n)+")
_RESTRICTED = "†"  # after the names whose licence restricts the use, and before that licence
_TITLES = {
    "depth-anything-v1": "Depth Anything V1, V2",
    "depth-anything-v2": "Depth Anything V1, V2",
    "depth-anything-3": "Depth Anything 3",
    "midas": "MiDaS",
    "zoedepth": "ZoeDepth",
    "marigold": "Marigold",
}

Model = dict[str, Any]


def main() -> None:
    """Print the table, or put it into README."""
    listed = subprocess.run(
        [sys.executable, "-m", "depthrt", "models", "--json"], capture_output=True, text=True, check=True
    )
    table = make_table(json.loads(listed.stdout))
    if "--write" in sys.argv[1:]:
        text, found = _TABLE.subn(lambda match: table, README.read_text(encoding="utf-8"))
        assert found == 1, f"README has {found} tables that begin with {HEADING}"
        README.write_text(text, encoding="utf-8")
    else:
        print(table, end="")


def make_table(models: list[Model]) -> str:
    """Return the table in Markdown, a row for each title."""
    rows = defaultdict(list)
    for model in models:
        rows[_TITLES[model["family"]]].append(model)
    return (
        "\n".join([HEADING, "|---|---|---|---|---|---|", *(_row(title, found) for title, found in rows.items())]) + "\n"
    )


def short(names: Iterable[str]) -> list[str]:
    """Return names with those that differ in one word written once: "ZoeD_M12_{N,K}"."""
    groups: list[_Alike] = []
    for name in names:
        words = re.split(r"([-_])", name)
        if not any(group.takes(words) for group in groups):
            groups.append(_Alike(words))
    return [str(group) for group in groups]


class _Alike:
    """Names that differ in one word."""

    def __init__(self, words: list[str]) -> None:
        self._words, self._place, self._there = words, -1, [""]

    def takes(self, words: list[str]) -> bool:
        """Take a name if it differs from the others in the same word as they do."""
        differ = [at for at, (mine, other) in enumerate(zip(words, self._words, strict=False)) if mine != other]
        if len(words) != len(self._words) or len(differ) != 1 or self._place not in (-1, differ[0]):
            return False
        if self._place < 0:
            (self._place,) = differ
            self._there = [self._words[self._place]]
        self._there.append(words[self._place])
        return True

    def __str__(self) -> str:
        there = self._there[0] if self._place < 0 else f"{{{','.join(self._there)}}}"
        return "".join(there if at == self._place else word for at, word in enumerate(self._words))


def _row(title: str, models: list[Model]) -> str:
    sizes = dict.fromkeys(_size(model) for model in models)
    licences = dict.fromkeys(f"{_sign(model)}[{model['licence']}]({model['licence_link']})" for model in models)
    names = [f"`{name}`{sign}" for sign in ("", _RESTRICTED) for name in short(_named(models, sign))]
    verified = dict.fromkeys(
        f"{model['verified']['network']}, {model['verified']['weights']} weights" for model in models
    )
    cells = (
        title,
        ", ".join(names),
        ", ".join(dict.fromkeys("metres" if model["kind"] == "metric" else model["kind"] for model in models)),
        ", ".join(sizes),
        ", ".join(licences),
        "; ".join(verified),
    )
    return f"| {' | '.join(cells)} |"


def _named(models: list[Model], sign: str) -> list[str]:
    return [model["name"] for model in models if _sign(model) == sign]


def _sign(model: Model) -> str:
    return _RESTRICTED if model["restriction"] else ""


def _size(model: Model) -> str:
    h, w = model["default_px"]
    return f"{h}" if h == w else f"{h}x{w}"


if __name__ == "__main__":
    main()
