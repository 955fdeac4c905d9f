"""A depth ONNX file of others becomes a model file, or is refused in one line that says why it cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx_ir

from ...engine.errors import ModelFileError
from ...engine.modelfile.adoption import Adoption
from ...engine.modelfile.contract import Contract
from ...engine.modelfile.seal import seal_file
from ...engine.system.field_types import printable
from ...engine.system.files import check_output
from ...engine.system.records import check_record
from ...engine.terms import OnStep
from ..checkpoint.checkpoint import Checkpoint, read_checkpoint
from ..onnx_file.saved import saved
from ..onnx_file.scratch import scratch_folder
from .ask import ask_canary, open_graph, save_graph
from .compare import compare_with
from .graph.arithmetic import precision_of, scales_by_batch
from .graph.layout import Layout, dims_of, read_layout
from .graph.mend import mend
from .graph.read import infer_shapes, read_graph
from .graph.to_convention import to_convention
from .meaning import Meaning, settle_meaning
from .official_rule import remark_on_rule
from .options import Options, check_options, claim_of_options
from .plan import Plan, make_contract, make_plan
from .probes.finding import Finding
from .probes.graph import probe_graph
from .probes.probe import probe
from .source import SUFFIX, Source, find_source

_LONGEST_STEM = 100
_ONE_BY_ONE = "It takes images one by one, as it scales its int8 by all images of a batch."
_FORCE = " (--force adopts it all the same, and puts this into every result)"


@dataclass(frozen=True, slots=True)
class Adopted:
    """A written model file.

    Args:
        path: The model file.
        contract: As it stands in the file.
        file_mib: Size of the file and of the weights beside it.
        layout: How the other file takes an image and gives depth.
        remarks: Where the contract's values come from, a sentence each.
        weights: The file beside `path` that holds its weights and must stay there; None if `path` holds them.
    """

    path: Path
    contract: Contract
    file_mib: float
    layout: Layout
    remarks: tuple[str, ...]
    weights: Path | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """A graph in our convention, and all that is known of it."""

    source: Source
    model: onnx_ir.Model
    layout: Layout
    meaning: Meaning
    plan: Plan
    checkpoint: Checkpoint | None


def adopt(
    source: Path,
    path: Path,
    *,
    options: Options | None = None,
    checkpoint: Path | None = None,
    force: bool = False,
    on_note: Callable[[str], None] = lambda sentence: None,
    on_step: OnStep = lambda title, done, wanted: None,
) -> Adopted:
    """Write an ONNX file of others as a model file; nothing is left at `path` unless it passes its probes.

    Args:
        source: The file, or a folder with one ONNX file.
        path: Ends with .onnx; its folder exists.
        options: What the file does not say itself.
        checkpoint: To compare it with; None for none.
        force: Write it although it fails probes; they stand as notes in every result.
        on_note: Called with each sentence that the user should read.
        on_step: Called with (title, steps done, steps wanted).

    Raises:
        InputError: What the file means is not known and no option says it, or the options do not fit it.
        ModelFileError: It cannot be read, run or trusted; the message says why.
        ParityError: It is not the network of the checkpoint.
    """
    options = options or Options()
    check_options(options)
    on_step("read the graph", 0, 1)
    found = find_source(source)
    check_output(path, suffix=SUFFIX, source=found.path)
    model = read_graph(found.path)
    doubts = _failed(probe_graph(model), found, force=force)
    if any(not dims_of(value) for value in model.graph.outputs):
        infer_shapes(model)
    layout = read_layout(model, str(found.path), output=options.output)
    one_by_one = layout.batch is None and scales_by_batch(model)
    if one_by_one:
        layout = replace(layout, batch=1)
    known = _read(checkpoint, options, on_step)
    meaning = settle_meaning(found, layout, options, known)
    plan = make_plan(found, model, layout, meaning, options)
    batches = (_ONE_BY_ONE,) if one_by_one else ()
    remarks = (f"Its graph is {layout.names}.", *batches, *meaning.remarks, *plan.remarks, *mend(model))
    for sentence in remarks:
        on_note(sentence)
    to_convention(model, layout, plan.size.base_px if plan.size.static else None)
    case = _Case(found, model, layout, meaning, plan, known)
    contract, departs = _examine(case, doubts, force=force, on_step=on_step)
    assert contract.adopted is not None
    for sentence in (*filter(None, (departs,)), *(f"warning: {doubt}" for doubt in contract.adopted.notes)):
        on_note(sentence)
    on_step("write the file", 0, 1)
    with saved(model, path, contract) as (written, weights, contract):
        size_bytes = sum(file.stat().st_size for file in (written, weights) if file is not None)
    return Adopted(path, contract, size_bytes / 2**20, layout, (*remarks, *filter(None, (departs,))), weights)


def _examine(case: _Case, doubts: tuple[str, ...], *, force: bool, on_step: OnStep) -> tuple[Contract, str]:
    """Have a graph in our convention answer the canary and the probes.

    Returns:
        Its contract, and a sentence on how far its way to resize leads away from the official one; "" for not at all.
    """
    found, plan, batch = case.source, case.plan, case.layout.batch or 1
    with scratch_folder() as folder:
        written = folder / f"{found.path.stem[:_LONGEST_STEM]}{SUFFIX}"
        weights = save_graph(case.model, written)
        on_step("answer the canary", 0, 1)
        answer = open_graph(written, found.path)
        canary = ask_canary(found.path, plan, answer, batch=batch, precision=precision_of(case.model))
        drift = None
        if case.checkpoint is not None:
            on_step("compare with the checkpoint", 0, 1)
            drift = compare_with(case.checkpoint, plan, answer, file=found.path, batch=batch)
        contract = make_contract(found, case.model, case.layout, case.meaning, plan, canary)
        adoption = Adoption(found.name, found.sha256, case.checkpoint is not None, drift)
        contract = replace(contract, adopted=adoption)
        check_record(contract, name="contract", remedy="no runtime would read it; give other options")
        contract = seal_file(written, contract, weights)
        notes = (*doubts, *_failed(probe(written, contract, on_step=on_step), found, force=force))
        departs = _departs(written, contract, case.meaning, on_step)
    return replace(contract.without_digest(), adopted=replace(adoption, notes=notes)), departs


def _departs(written: Path, contract: Contract, meaning: Meaning, on_step: OnStep) -> str:
    """Return how far the way to resize leads away from the official one of its family, if that is known."""
    if meaning.conventions is None:
        return ""
    return remark_on_rule(written, contract, meaning.conventions, patch_px=meaning.multiple_px, on_step=on_step)


def _failed(findings: Sequence[Finding], found: Source, *, force: bool) -> tuple[str, ...]:
    """Return what probes a file failed, if that is forced.

    Raises:
        ModelFileError: It failed, and that is not forced.
    """
    failed = tuple(printable(finding.sentence) for finding in findings if not finding.passed)
    if failed and not force:
        raise ModelFileError(f"{found.path} cannot be trusted: {'; '.join(failed)}{_FORCE}")
    return failed


def _read(checkpoint: Path | None, options: Options, on_step: OnStep) -> Checkpoint | None:
    """Read the checkpoint to compare with; the options say of it what they say of the file."""
    if checkpoint is None:
        return None
    on_step("read the checkpoint", 0, 1)
    said, _ = claim_of_options(options)
    return read_checkpoint(checkpoint, family=said.family, kind=said.kind, max_depth_m=said.max_depth_m)
