"""What `depthrt models` prints, a table of published models or everything about one; and what a repository holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ...export.licences import licence_words
from .file import size_words
from .printing import print_lines, print_result, say, table_width

if TYPE_CHECKING:
    from ...export.download.repository import Repository
    from ...export.listing import Listed

_WIDE = 110  # columns from which the table says for each model what was run


def show_models(models: Sequence[Listed], *, as_json: bool) -> None:
    """Print a table of models, in a group for each family."""
    if as_json:
        print_result(json.dumps([asdict(model) for model in models]))
        return
    if not models:
        print_result("No model of this family is published.")
        return
    print_result("\n".join(_lines(models, table_width())), lines=True)


def show_model(model: Listed, *, as_json: bool) -> None:
    """Print everything about one model."""
    if as_json:
        print_result(json.dumps(asdict(model)))
        return
    print_result(model.name)
    print_lines((f"  {name:<12} {value}" for name, value in _facts(model).items()), further=" " * 15)


def show_repository(repository: Repository, *, as_json: bool) -> None:
    """Print the ONNX files of a repository."""
    if as_json:
        print_result(json.dumps(asdict(repository)))
        return
    rows = [["  file", "precision", "size", "weights beside it"]]
    for file in repository.files:
        beside = f"{len(file.beside)} file{'s' if len(file.beside) > 1 else ''}" if file.beside else ""
        rows.append([f"  {file.name}", file.precision or "not said", f"{file.size_bytes / 1e6:,.1f} MB", beside])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print_result(f"{repository.name} at {repository.commit[:12]}, {repository.licence_line}")
    print_result("\n".join(_row(row, widths) for row in rows), lines=True)
    say(f"Nothing was downloaded. Take one with: depthrt fetch {repository.name} --file {repository.files[0].name}")


def _facts(model: Listed) -> dict[str, str]:
    upto = "" if model.max_depth_m is None else f", up to {model.max_depth_m:g} m"
    run = model.verified
    facts = {
        "family": model.family,
        "kind": f"{model.kind}{upto}",
        "weights": _millions(model.parameters),
        "default size": size_words(model.default_px, model.rule),
        "licence": licence_words(model.licence),
        "note": model.licence_note,
        "accepted": "" if not model.restriction else "yes" if model.accepted else "no: --accept-licence is needed once",
        "published": f"{model.page}: {', '.join(model.files)}",
        "sha256": model.sha256 or "compared at the download with the publisher's, if there is one",
        "other names": ", ".join(model.other_names),
        "here": model.path or f"no; `depthrt fetch {model.name}`",
        "verified": f"{run}, within {run.largest:g} of the range of {run.against} ({run.by})",
    }
    return {name: value for name, value in facts.items() if value}


def _lines(models: Sequence[Listed], width: int) -> Iterator[str]:
    """Yield a heading, the models of each family below its name, and what the signs mean."""
    rows = [_cells(model, wide=width >= _WIDE) for model in models]
    heading = ["  name", "kind", "weights", "size", "licence", *(["verified"] if width >= _WIDE else [])]
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    yield _row(heading, widths)
    family = None
    for model, row in zip(models, rows, strict=True):
        if model.family != family:
            family = model.family
            yield family
        yield _row(row, widths)
    yield ""
    yield from _note(models)


def _cells(model: Listed, *, wide: bool) -> list[str]:
    h, w = model.default_px
    return [
        f"{'*' if model.path else ' '} {model.name}",
        model.kind,
        _millions(model.parameters),
        f"{h}" if h == w else f"{h}x{w}",
        f"{model.licence}{' !' if model.restriction else ''}",
        *([str(model.verified)] if wide else []),
    ]


def _millions(parameters: int) -> str:
    """Return a number of weights with three digits or more: "24.8 M", "335 M"."""
    return f"{parameters / 1e6:,.{1 if parameters < 1e8 else 0}f} M"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (2, 3)
    padded = [
        cell.rjust(width) if at in numbers else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _note(models: Sequence[Listed]) -> Iterator[str]:
    here = sum(model.path is not None for model in models)
    yield f"* is on this machine ({here} of {len(models)}). `depthrt fetch NAME` downloads one."
    if any(model.restriction for model in models):
        yield "! restricts the use: read the licence, and accept it once with --accept-licence."
    runs = sorted({f"{model.verified}" for model in models})
    yield f"Verified: {' or '.join(runs)}."
    yield "`depthrt models NAME` tells against what."
