"""A depth ONNX file of others becomes a model file, or is refused in one line that says why it cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx_ir

from ...engine.errors import ModelFileError
from ...engine.images.preprocess import Float32
from ...engine.modelfile.adoption import Adoption
from ...engine.modelfile.canary import RANGE_PERCENTILES, canary_input, make_canary
from ...engine.modelfile.contract import Canary, Contract
from ...engine.modelfile.seal import seal_file
from ...engine.runners.calls import calling
from ...engine.runners.ort_session import CPU, import_onnxruntime, session_options
from ...engine.system.cores import usable_cores
from ...engine.system.field_types import printable
from ...engine.system.files import check_output
from ...engine.system.records import check_record
from ...engine.terms import INPUT, OUTPUT, OnStep
from ..checkpoint.checkpoint import Checkpoint, read_checkpoint
from ..onnx_file.saved import PROTOBUF_LIMIT_BYTES, saved
from ..onnx_file.scratch import scratch_folder
from ..parity.parity import TOLERANCE
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
    remarks = (
        f"Its graph is {layout.names}.",
        *([_ONE_BY_ONE] if one_by_one else []),
        *meaning.remarks,
        *plan.remarks,
        *mend(model),
    )
    for sentence in remarks:
        on_note(sentence)
    to_convention(model, layout, plan.size.base_px if plan.size.static else None)
    contract = _examine(found, model, layout, meaning, plan, known, doubts, force=force, on_step=on_step)
    assert contract.adopted is not None
    for sentence in contract.adopted.notes:
        on_note(f"warning: {sentence}")
    on_step("write the file", 0, 1)
    with saved(model, path, contract) as (written, weights, contract):
        size_bytes = sum(file.stat().st_size for file in (written, weights) if file is not None)
    if meaning.conventions is not None:
        patch_px = meaning.multiple_px
        departs = remark_on_rule(path, contract, meaning.conventions, patch_px=patch_px, on_step=on_step)
        for sentence in filter(None, [departs]):
            on_note(sentence)
            remarks += (sentence,)
    return Adopted(path, contract, size_bytes / 2**20, layout, remarks, weights)


def _examine(
    found: Source,
    model: onnx_ir.Model,
    layout: Layout,
    meaning: Meaning,
    plan: Plan,
    known: Checkpoint | None,
    doubts: tuple[str, ...],
    *,
    force: bool,
    on_step: OnStep,
) -> Contract:
    """Return the contract of a graph in our convention, once it has answered the canary and the probes."""
    with scratch_folder() as folder:
        written = folder / f"{found.path.stem[:_LONGEST_STEM]}{SUFFIX}"
        weights = _save(model, written)
        on_step("answer the canary", 0, 1)
        with _session(written, found.path) as answer:
            canary = _make_canary(found, plan, answer, model, batch=layout.batch or 1)
            drift = None
            if known is not None:
                on_step("compare with the checkpoint", 0, 1)
                drift = compare_with(known, plan, answer, file=found.path, batch=layout.batch or 1)
        contract = make_contract(found, model, layout, meaning, plan, canary)
        adoption = Adoption(found.name, found.sha256, known is not None, drift)
        contract = replace(contract, adopted=adoption)
        check_record(contract, name="contract", remedy="no runtime would read it; give other options")
        findings = probe(written, seal_file(written, contract, weights), on_step=on_step)
    notes = (*doubts, *_failed(findings, found, force=force))
    return replace(contract, adopted=replace(adoption, notes=notes))


def _failed(findings: Sequence[Finding], found: Source, *, force: bool) -> tuple[str, ...]:
    """Return what probes a file failed, if that is forced.

    Raises:
        ModelFileError: It failed, and that is not forced.
    """
    failed = tuple(printable(finding.sentence) for finding in findings if not finding.passed)
    if failed and not force:
        raise ModelFileError(f"{found.path} cannot be trusted: {'; '.join(failed)}{_FORCE}")
    return failed


def _save(model: onnx_ir.Model, path: Path) -> Path | None:
    """Write a graph; return the file of its weights beside it, None if it holds them."""
    size_bytes = sum(value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value)
    weights = path.with_suffix(".data") if size_bytes > PROTOBUF_LIMIT_BYTES else None
    if weights is None:
        onnx_ir.external_data.load_to_model(model)  # those beside their file, which would not be found beside ours
    onnx_ir.save(model, path, external_data=weights.name if weights else None)
    return weights


@contextmanager
def _session(written: Path, theirs: Path) -> Iterator[Callable[[Float32], Float32]]:
    """Open a graph in our convention in ONNX Runtime on the CPU; yield a function that runs (N, 3, h, w)."""
    ort = import_onnxruntime()
    with calling("ONNX Runtime", "refuses", theirs):
        session = ort.InferenceSession(str(written), session_options(ort, usable_cores()), providers=[CPU])

    def answer(batch: Float32) -> Float32:
        with calling("ONNX Runtime", f"cannot run an input of {batch.shape} through", theirs):
            (found,) = session.run([OUTPUT], {INPUT: batch})
        depth: Float32 = found
        return depth

    yield answer


def _make_canary(
    found: Source, plan: Plan, answer: Callable[[Float32], Float32], model: onnx_ir.Model, *, batch: int
) -> Canary:
    """Return the canary, with the file's own answer."""
    golden = np.repeat(canary_input(plan.canary_px, plan.mean, plan.std), batch, axis=0)
    depth = answer(golden)
    if depth.shape != (batch, *plan.canary_px):
        shapes = ("x".join(map(str, shape)) for shape in (depth.shape, golden.shape, (batch, *plan.canary_px)))
        raise ModelFileError("{} answers {} for an input of {}, expected {}".format(found.path, *shapes))
    values = depth[0]
    if not np.isfinite(values).all():
        raise ModelFileError(f"{found.path} answers numbers that are not finite on the canary; nothing can check it")
    if np.ptp(np.percentile(values, RANGE_PERCENTILES)) == 0:
        raise ModelFileError(
            f"{found.path} answers {np.median(values):g} everywhere on the canary, so it does not depend on the image; "
            "it is broken, or --mean and --std are others"
        )
    return make_canary(plan.canary_px, values, tolerance=TOLERANCE[precision_of(model)])


def _read(checkpoint: Path | None, options: Options, on_step: OnStep) -> Checkpoint | None:
    """Read the checkpoint to compare with; the options say of it what they say of the file."""
    if checkpoint is None:
        return None
    on_step("read the checkpoint", 0, 1)
    said, _ = claim_of_options(options)
    return read_checkpoint(checkpoint, family=said.family, kind=said.kind, max_depth_m=said.max_depth_m)
