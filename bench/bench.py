"""The whole benchmark as one call: a request becomes a report, written where the request wants it.

from depthrt.bench.bench import bench
from depthrt.bench.run.request import QUICK, BenchRequest

request = BenchRequest(["model.onnx", "depth_anything_v2_vits.pth"], images=["photos/"], output="report", **QUICK)
result = bench(request)
for subject in result.report.subjects:
    print(subject.name, subject.speed, subject.drift and subject.drift.mean, subject.failure)
print(result.files.html)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..engine.errors import InputError
from ..engine.images.limits import Limits
from ..engine.modelfile.shipped import DEFAULT
from ..engine.run.sources import find_images
from ..engine.system.files import check_reachable
from ..engine.terms import OnStep
from .datasets.ground_truth import open_ground_truths
from .numbers.result import Picture, Report
from .report.page import ReportFiles, prepare_folder, write_report
from .run.measurement import describe_settings, make_measurement
from .run.request import BenchRequest, as_call
from .run.run_bench import choose_reference, run_bench
from .subjects.checkpoint_options import CheckpointOptions
from .subjects.find_subjects import check_checkpoint, find_subjects, is_checkpoint
from .subjects.subject import Subject


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Result of a benchmark.

    Args:
        report: All figures. A subject that failed has the reason.
        pictures: Of the tiles with the largest drift.
        files: What was written; None if the request names no folder.
    """

    report: Report
    pictures: tuple[Picture, ...]
    files: ReportFiles | None


def bench(request: BenchRequest, *, on_step: OnStep = lambda title, done, wanted: None) -> BenchResult:
    """Measure models side by side, all in turns in one run; blocks, and prints nothing.

    Args:
        request: What is measured, on what, and where the report goes.
        on_step: Called at each step.

    Raises:
        InputError: A file is missing, the options do not suit a checkpoint, no image can be read, a data set is not
            understood, or the folder cannot be written; nothing has been measured then.
        BackendUnavailable: A package is missing; the message names the extra to install.
    """
    check_files(request)
    subjects, measurement = _find_subjects(request), make_measurement(request)
    limits = Limits(max_pixels=request.max_pixels)
    datasets = open_ground_truths(request.ground_truth, units_per_m=request.units_per_m, limits=limits)
    images, reference = find_images(request.images), choose_reference(subjects, request.reference)
    if request.output is not None:
        prepare_folder(request.output)
    measured = run_bench(
        subjects,
        images,
        measurement,
        reference=reference,
        ground_truth=[dataset.spread(request.count) for dataset in datasets] if request.count else datasets,
        command=request.command or as_call(request),
        settings=describe_settings(measurement, datasets, count=request.count, units_per_m=request.units_per_m),
        on_step=on_step,
    )
    files = None
    if request.output is not None:
        files = write_report(request.output, measured.report, measured.pictures, drift_budget=request.drift_budget)
    return BenchResult(measured.report, measured.pictures, files)


def _files(request: BenchRequest) -> list[str | Path]:
    """Return the files that are measured: the models, and the reference if it is not among them."""
    if request.reference is None or Path(request.reference) in map(Path, request.models):
        return [*request.models]
    return [*request.models, request.reference]


def check_files(request: BenchRequest) -> None:
    """Check that the files of a request exist, and that its checkpoints can be measured as it says.

    Raises:
        InputError: A file is missing, or the options do not suit a checkpoint.
    """
    for number, file in enumerate(_files(request)):
        check_reachable(file)
        if str(file) != DEFAULT and not Path(file).exists():
            verb = " and is not a verb of `depthrt bench`" if number == 0 else ""
            raise InputError(f"{file} does not exist{verb}; give model files or checkpoints")
    for path in dict.fromkeys(map(Path, _files(request))):
        if is_checkpoint(path):  # minutes of measurement must not end in a question
            check_checkpoint(path, checkpoint_options(request))


def checkpoint_options(request: BenchRequest) -> CheckpointOptions:
    """Return how a request reads checkpoints."""
    return CheckpointOptions(
        size=request.size, family=request.family, kind=request.kind, max_depth_m=request.max_depth_m
    )


def _find_subjects(request: BenchRequest) -> list[Subject]:
    return find_subjects(
        _files(request),
        devices=request.devices or None,
        runners=request.runners or None,
        threads=request.threads,
        checkpoint=checkpoint_options(request),
        precisions=request.precisions,
        compiled=request.compiled,
        study=request.study,
    )
