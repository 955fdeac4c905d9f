"""A run: a request in, depth files out, an outcome for each image, frame and video."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from time import time

from ..depth.provenance import NO_FOCAL
from ..errors import DepthrtError, InputError
from ..images.limits import Limits
from ..model.depth_model import DepthModel, load
from ..model.focal_length import ANY_LENS, Lens, check_focal
from ..modelfile.contract import Contract
from ..modelfile.shipped import DEFAULT
from ..system.files import check_named, make_folder, remove_unfinished, try_place
from ..system.process.overlap import AHEAD, Outcome
from ..system.process.signals import stopped_by_signals
from ..terms import CLOUD_FORMATS, MEANINGS, Device, Format
from .jobs import PLAIN, STDOUT, Job, Style, plan_jobs
from .latest.latest_reader import Latest
from .listener import Listener, Part
from .resume import made_since
from .run_images import Written, run_images
from .run_video import open_frames, run_video
from .sheet import Sheet, check_sheet
from .sources import find_sources

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run and where the depth goes; the defaults are those of `depthrt run`.

    Args:
        inputs: Images, videos, folders (with all below), glob patterns, camera indices, addresses of streams
            ("rtsp://..."), or "-" for standard input.
        model: A model file, or "default", the small model that comes with depthrt.
        output: A folder that mirrors the inputs' names; or a file, for a single image, video or camera; or "-",
            standard output, for a single image.
        formats: Each gives a file per image; none given means "color", or the format of a named file's suffix.
        style: How depth is painted.
        lens: That took the images, for a model that gives metres with a focal length, and for points in space.
        sheet: Also write one picture of all images, each above its depth.
        device, threads, limits: As in `load`.
        max_frames: Of each video and camera; None reads to the end.
        resume: Skip inputs whose outputs exist and are of this model and style.
        latest: Of cameras, streams and videos (at their own speed) take the newest frame each time; None takes all.
    """

    inputs: str | Path | Sequence[str | Path]
    _: KW_ONLY
    model: str | Path = DEFAULT
    output: str | Path = "depth"
    formats: Sequence[Format] = ()
    style: Style = PLAIN
    lens: Lens = ANY_LENS
    sheet: str | Path | None = None
    device: Device = "auto"
    threads: int | None = None
    limits: Limits | None = None
    max_frames: int | None = None
    resume: bool = False
    latest: Latest | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What an outcome is about: an image, a frame of a video (its index), or a video at its end (frame None)."""

    job: Job
    frame: int | None = None

    @property
    def is_whole_video(self) -> bool:
        """Whether the outcome is that of a video or camera at its end."""
        return self.frame is None and self.job.source.kind != "image"

    @property
    def name(self) -> str:
        """Return the input's name, and the frame's index if it is a frame."""
        title = self.job.source.title
        return title if self.frame is None else f"{title} frame {self.frame}"


def run(request: RunRequest, listener: Listener | None = None) -> Generator[Outcome[Step, Written], None, None]:
    """Yield the outcome of each image, each frame of a video, and each video at its end; images come first.

    Everything that can be refused is refused before the first image is read; after that, bad inputs yield their
    error and the run goes on. Nothing happens before the first outcome is asked for.
    A run that is closed or interrupted keeps the files of its outcomes, writes the sheet of the images so far, and
    leaves no half video. Ctrl-C ends the recording of a camera, which becomes whole, before it interrupts, and so
    do SIGTERM and SIGHUP in a program that ends by them.

    Raises:
        InputError: The inputs, the output or the sheet cannot be used.
        DepthrtError: The model cannot be loaded; see `load`.
    """
    listener = listener or Listener()
    start_s = time()
    jobs = _plan(request, listener)
    with load(request.model, device=request.device, threads=request.threads, limits=request.limits) as model:
        _check_lens(request.lens, model.contract, jobs)
        left = _left(jobs, model, request, start_s=start_s)
        remove_unfinished(*(path for job in left for path in job.files), *_frames_begun(left))
        stale = sum(job.is_done() for job in left) if request.resume else 0
        listener.started(model, skipped=len(jobs) - len(left), stale=stale)
        with _written_sheet(request, listener) as sheet:
            yield from _run_images(model, [job for job in left if job.source.kind == "image"], request, sheet, listener)
            for job in left:
                if job.source.kind != "image":
                    yield from _run_video(model, job, request, listener)


def _plan(request: RunRequest, listener: Listener) -> list[Job]:
    """Return the jobs of a request, once everything that is written has a place."""
    inputs = [request.inputs] if isinstance(request.inputs, (str, Path)) else request.inputs
    check_named(request.output, "output")
    output = Path(request.output)
    sources = find_sources([*map(str, inputs)], outputs=output, on_left_out=listener.left_out)
    jobs = plan_jobs(sources, output, formats=request.formats)
    if request.sheet is not None:
        if request.resume:
            raise InputError("--sheet and --resume found, expected one of them; a sheet is made of all images in a run")
        check_named(request.sheet, "sheet")
        sheet = Path(request.sheet)
        check_sheet(sheet, jobs)
        make_folder(sheet.parent)
        try_place(sheet)
    make_folder(output.parent if output in jobs[0].files else output)
    return jobs


def _check_lens(lens: Lens, contract: Contract, jobs: Sequence[Job]) -> None:
    """Refuse a lens that nothing takes, and points without one; say that depth that needs a lens has no unit without.

    Raises:
        InputError: The model takes no lens and no points are written, or they are and have no metres or no lens.
    """
    formats = {format for job in jobs for format in (*job.files.values(), *job.frame_formats)}
    cloud = next((format for format in CLOUD_FORMATS if format in formats), None)
    if cloud is None:
        check_focal(lens.focal_of((1, 1)), contract)
    elif not contract.unit:
        given = MEANINGS[contract.kind].name
        raise InputError(
            f"format {cloud} holds points in metres, and {contract.model} gives {given}; use a metric model"
        )
    elif not lens.known:
        raise InputError(f"format {cloud} holds points in space, which need the lens: give --fov or --focal-px")
    if contract.focal_unit_px is not None and not lens.known:
        logger.warning("depthrt: %s", NO_FOCAL)


def _left(jobs: list[Job], model: DepthModel, request: RunRequest, *, start_s: float) -> list[Job]:
    """Return the jobs that are to be done."""
    output = Path(request.output)
    if output == STDOUT:
        return jobs
    since_s = made_since(
        output, model.contract, request.style, lens=request.lens, start_s=start_s, resume=request.resume
    )
    return [job for job in jobs if not (request.resume and job.is_done(since_s))]


def _frames_begun(jobs: Sequence[Job]) -> Iterator[Path]:
    """Yield the files of frames that a run which was killed may have begun."""
    for job in jobs:
        with suppress(OSError):
            found = list(job.frame_folder.iterdir()) if job.frame_formats else []
            if any(path.name.startswith(".") for path in found):
                for index in range(len(found) + AHEAD):
                    yield from job.frame_files(index)


@contextmanager
def _written_sheet(request: RunRequest, listener: Listener) -> Iterator[Sheet | None]:
    """Give the sheet to fill, if one is asked for, and write it at the end; after an interrupt unless it is empty."""
    if request.sheet is None:
        yield None
        return
    sheet = Sheet(request.style)
    try:
        yield sheet
    except (KeyboardInterrupt, GeneratorExit):
        if len(sheet):
            _save_sheet(sheet, Path(request.sheet), listener)
        raise
    _save_sheet(sheet, Path(request.sheet), listener)


def _save_sheet(sheet: Sheet, path: Path, listener: Listener) -> None:
    sheet.save(path)
    listener.sheet_written(path, left_out=sheet.left_out)


def _run_images(
    model: DepthModel, jobs: Sequence[Job], request: RunRequest, sheet: Sheet | None, listener: Listener
) -> Generator[Outcome[Step, Written], None, None]:
    """Yield the outcome of each image."""
    if not jobs:
        return
    listener.began(Part("images", len(jobs), resumable=True))
    with closing(run_images(model, jobs, style=request.style, lens=request.lens, sheet=sheet)) as outcomes:
        for outcome in outcomes:
            yield Outcome(Step(outcome.item), outcome.result, outcome.error)


def _run_video(
    model: DepthModel, job: Job, request: RunRequest, listener: Listener
) -> Generator[Outcome[Step, Written], None, None]:
    """Yield the outcome of each frame of a video or camera, and at its end that of the whole."""
    try:
        job.check_names()
        reader = open_frames(job.source, max_frames=request.max_frames, limits=model.limits, latest=request.latest)
    except InputError as error:
        yield Outcome(Step(job), None, error)
        return
    is_live = job.source.kind == "camera" or request.latest is not None
    with closing(reader), stopped_by_signals(reader.stop if is_live else None):
        listener.began(Part(job.source.title, reader.frames, resumable=False))
        whole: Outcome[Step, Written] = Outcome(Step(job), Written(tuple(job.files)), None)
        try:
            with closing(run_video(model, job, reader, style=request.style, lens=request.lens)) as outcomes:
                for outcome in outcomes:
                    yield Outcome(Step(job, outcome.item), outcome.result, outcome.error)
        except DepthrtError as error:
            whole = Outcome(Step(job), None, error)
        yield whole
