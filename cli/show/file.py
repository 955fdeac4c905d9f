"""What `depthrt info` prints of a file: what a model file promises, or what a checkpoint is."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.terms import MEANINGS
from ...export.licences import licence_words
from .printing import print_result

if TYPE_CHECKING:
    from ...engine.model.describe import ModelFacts
    from ...engine.model.file_check import FileCheck
    from ...engine.modelfile.adoption import Adoption
    from ...engine.modelfile.contract import Contract
    from ...engine.modelfile.size_rule import Rule, SizeRule
    from ...export.checkpoint.checkpoint import CheckpointFacts


def show_model(facts: ModelFacts, checks: Sequence[FileCheck] = (), *, as_json: bool) -> None:
    """Print what a model file promises, how it was tuned on this machine, and what was checked."""
    if as_json:
        tuned = {threads: asdict(tuning) for threads, tuning in facts.tunings.items()}
        found = {"path": str(facts.path), "file": "onnx", **asdict(facts.contract), **found_checks(checks)}
        print_result(json.dumps({**found, "tuned": tuned.get(facts.cores), "tuned_by_threads": tuned}))
        return
    digest = facts.contract.digest
    rows = contract_rows(facts.contract)
    rows["digest"] = f"crc32 {digest.crc32}, sha256 {digest.sha256[:16]}" if digest else "none: changes are not noticed"
    for threads, tuning in sorted(facts.tunings.items(), key=lambda item: item[0] != facts.cores):
        given = [] if threads == facts.cores else ["--threads", str(threads)]
        undo = shlex.join(["depthrt", "tune", str(facts.path), "--forget", *given])
        rows[" ".join(given) or "here"] = f"{tuning} ({tuning.made[:10]}; `{undo}` undoes it)"
    show_rows(facts.path, rows | check_rows(checks))


def check_rows(checks: Sequence[FileCheck]) -> dict[str, str]:
    """Return what was checked and found, in words."""
    return {f"check {check.what}": f"{check.outcome}: {check.detail}" for check in checks}


def found_checks(checks: Sequence[FileCheck]) -> dict[str, Any]:
    """Return what was checked and found for JSON; nothing if nothing was."""
    return {"checks": [asdict(check) for check in checks]} if checks else {}


def contract_rows(contract: Contract) -> dict[str, str]:
    """Return what a contract promises, in words."""
    size = f"{_sizes(contract.size)}, multiples of {contract.size.multiple_px} px"
    return {
        "model": contract.model,
        "output": _output(contract),
        "input": f"{size}, {contract.batch or 'any'} image(s) a batch",
        **_special(contract),
        "precision": contract.precision,
        **({"in float32": ", ".join(contract.in_float32)} if contract.in_float32 else {}),
        "attention": contract.attention,
        **({} if contract.adopted is None else {"adopted": adoption_words(contract.adopted)}),
        "made from": f"{contract.source_name}, sha256 {contract.source_sha256[:16]}",
        "licence": licence_words(contract.licence),
        "made by": contract.producer,
    }


def adoption_words(adoption: Adoption) -> str:
    """Return where an adopted file comes from, in words."""
    drift = "never compared with a checkpoint"
    if adoption.drift is not None:
        drift = f"compared with a checkpoint: drift {adoption.drift:.1e} of the range"
    failed = f"; failed: {'; '.join(adoption.notes)}" if adoption.notes else ""
    return f"from {adoption.source}, {drift}{failed}"


def _output(contract: Contract) -> str:
    meaning = MEANINGS[contract.kind]
    if meaning.unit:
        upto = "without a bound" if contract.max_depth_m is None else f"up to {contract.max_depth_m:g}"
        needs = "" if contract.focal_unit_px is None else " if the focal length is given, else depth without a unit"
        return f"metres{needs}, {upto}"
    unknown = "" if meaning.larger_is_nearer else f", {meaning.unknown} unknown"
    return f"{meaning.name}, no unit, larger is {'nearer' if meaning.larger_is_nearer else 'farther'}{unknown}"


def _sizes(size: SizeRule) -> str:
    """Return the input sizes that a contract's rule gives, in words."""
    return size_words(size.base_px, size.rule) + ("" if size.margin == "none" else ", with a mirrored margin")


def size_words(base_px: tuple[int, int], rule: Rule) -> str:
    """Return the input sizes that a rule gives, in words.

    Args:
        base_px: (h, w) that it aims at.
        rule: As in SizeRule.
    """
    height, width = base_px
    both = f"{height}x{width}"
    words: dict[Rule, str] = {
        "lower_bound": f"short side {height}, any aspect" if height == width else f"at least {both}, any aspect",
        "letterbox": f"{both}, others are letterboxed",
        "minimal": f"one side near {height}, any aspect" if height == width else f"near {both}, any aspect",
        "upper_bound": f"long side {height}, any aspect" if height == width else f"at most {both}, any aspect",
        "square": f"{both}, others are stretched to it",
        "stretch": f"{both}, others are stretched to it",
        "longest_floor": f"long side {height}, any aspect",
        "longest_nearest": f"long side {height}, any aspect",
    }
    return words[rule]


def _special(contract: Contract) -> dict[str, str]:
    """Return what only some graphs do, in words."""
    found = {}
    if contract.mirrored:
        found["mirrored"] = "answers with the mean of a picture and its mirror image"
    if contract.steps is not None:
        found["steps"] = (
            f"{contract.steps}, from {'zeros' if contract.seed is None else f'noise of seed {contract.seed}'}"
        )
    if contract.metres_at == "learned":
        found["focal"] = "learned: metres are for cameras like those of its training, whatever the focal length"
    elif contract.metres_at is not None:
        found["focal"] = f"metres are for a focal length of {contract.metres_at:g} px of the input"
    if contract.sky_from is not None:
        found["sky"] = f"invalid, and filled, where its output for sky is {contract.sky_from:g} or more"
    return found


def show_checkpoint(facts: CheckpointFacts, *, as_json: bool) -> None:
    """Print what a raw checkpoint is, as far as it shows by itself."""
    encoder = facts.architecture.encoder
    if as_json:
        found = {field.name: getattr(facts, field.name) for field in fields(facts)}
        found["said"] = found.pop("remarks")
        found |= {"path": str(facts.path), "file": "checkpoint", "encoder": encoder, "notes": dict(facts.notes)}
        print_result(json.dumps(found, default=asdict))
        return
    unknown = "unknown: the tensors do not tell; give it to `depthrt export`"
    depth = f", up to {facts.max_depth_m:g} m" if facts.max_depth_m else ""
    rows = {
        "format": facts.file_format,
        "encoder": f"{encoder}, {facts.parameters / 1e6:.1f} M parameters, stored as {', '.join(facts.dtypes)}",
        "family": f"{facts.family} ({facts.source})" if facts.family else unknown,
        "kind": f"{facts.kind}{depth} ({facts.source})" if facts.kind else unknown,
        "licence": licence_words(facts.licence),
        "sha256": facts.sha256,
    }
    if facts.wrapper or facts.others:
        places = [facts.wrapper or "no prefix", ", ".join(facts.others)]
        rows["found under"] = ", also in the file: ".join(filter(None, places))
    show_rows(facts.path, {**rows, **facts.notes})
    for remark in facts.remarks:
        print_result(f"  {remark}")


def show_rows(path: Path, rows: dict[str, Any]) -> None:
    """Print named facts about a file, one a line."""
    print_result(path)
    for name, value in rows.items():
        print_result(f"  {name:<12} {value}")
