"""A data set in, a folder of its frames with mirrors, art and negatives out, with true depth, and a manifest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2

from ...bench.datasets.hypersim_cameras import TABLE
from ...bench.datasets.manifest import MANIFEST, write_manifest
from ...bench.datasets.true_depth import MM_PER_M
from ...engine.errors import InputError
from ...engine.images.read import read_image
from ...engine.system.cores import usable_cores
from ...engine.system.files import atomic_path, remove_unfinished
from ...engine.system.spread import spread
from .make_sample import Workshop, make_sample
from .options import Options
from .paint.gallery import Gallery, folder_gallery, frames_gallery
from .recipe import Recipe, hash_of, keep_recipe
from .sample_files import SamplePaths, entry_of, paths_of
from .source import Frame, open_frames

DEFAULTS = Options()
_AHEAD = 2  # samples that wait for each thread

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Augmented:
    """A written folder.

    Args:
        manifest: Its manifest, which names the frames that were made.
        samples: Number of them.
        failures: Name and error of each frame that could not be made.
        notes: On the data set.
    """

    manifest: Path
    samples: int
    failures: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def augment(
    source: str | Path,
    directory: str | Path,
    options: Options = DEFAULTS,
    *,
    units_per_m: float = MM_PER_M,
    jobs: int | None = None,
    previews: int = 0,
    on_progress: Progress | None = None,
) -> Augmented:
    """Write a data set's frames with edits whose depth is true.

    Frames that exist are kept, so a stopped run resumes, to the same files as a run that was not stopped.

    Args:
        source: As open_ground_truth takes it.
        directory: Folder of the frames; created if missing.
        options: What is drawn.
        units_per_m: As open_ground_truth takes it.
        jobs: Threads; None takes a thread for each core that this process may use.
        previews: Number of frames, evenly spread, that get a picture to look at.
        on_progress: Called with (frames done, all frames).

    Raises:
        InputError: The data set cannot be opened, the folder is within it or holds something else, or no frame could
            be made.
    """
    root = Path(directory).resolve()
    if Path(source).is_dir() and root.is_relative_to(Path(source).resolve()):
        raise InputError(f"{directory} is within {source}, and would become a part of it; choose a folder elsewhere")
    frames, notes = open_frames(source, units_per_m=units_per_m)
    gallery = gallery_of(frames, options)
    pictures = hash_of(gallery.names) if options.pictures is not None else None
    shares = (options.shares[0], options.shares[1], options.shares[2])
    names = hash_of(frame.name for frame in frames)
    keep_recipe(root, Recipe(names, pictures, shares, options.copies, options.seed, options.study))
    _copy_cameras(frames, root)
    workshop = Workshop(frames, options, gallery, root)
    failures = _make_all(workshop, jobs or usable_cores(), previews, on_progress)
    made = [job for job in _jobs(workshop) if job not in failures]
    if not made:
        raise InputError(f"no frame of {source} could be made; {next(iter(failures.values()))}")
    manifest = root / MANIFEST
    write_manifest(manifest, (entry_of(root, frames[number], copy) for number, copy in made))
    told = tuple((frames[number].name, error) for (number, _), error in failures.items())
    return Augmented(manifest, len(made), told, notes)


def gallery_of(frames: tuple[Frame, ...], options: Options) -> Gallery:
    """Return the pictures of an augmentation: of its folder, or the frames themselves and painted pictures."""
    if options.pictures is not None:
        return folder_gallery(options.pictures)

    def read(number: int) -> object:
        pair = frames[number].pair
        return pair.read().image if pair.image is None else read_image(pair.image)

    return frames_gallery([frame.name for frame in frames], read)  # type: ignore[arg-type]


_Job = tuple[int, int]  # number of a frame, number of its copy


def _jobs(workshop: Workshop) -> list[_Job]:
    return [(number, copy) for copy in range(workshop.options.copies) for number in range(len(workshop.frames))]


def _make_all(workshop: Workshop, threads: int, previews: int, on_progress: Progress | None) -> dict[_Job, str]:
    """Make the samples that are missing; return the errors of those that could not be made."""
    jobs = _jobs(workshop)
    shown = set(spread(jobs, previews)) if previews else set()
    missing = [job for job in jobs if not _is_made(workshop, job, job in shown)]
    remove_unfinished(*(path for job in missing for path in _paths(workshop, job)))
    failures: dict[_Job, str] = {}
    done = len(jobs) - len(missing)
    if on_progress is not None:
        on_progress(done, len(jobs))
    with _one_thread_each(), _finished(workshop, missing, shown, threads) as outcomes:
        for job, error in outcomes:
            done += 1
            if error is not None:
                failures[job] = error
            if on_progress is not None:
                on_progress(done, len(jobs))
    return dict(sorted(failures.items()))


def _is_made(workshop: Workshop, job: _Job, is_shown: bool) -> bool:
    paths = _paths(workshop, job)
    return paths.sidecar.is_file() and (paths.preview.is_file() or not is_shown)


def _paths(workshop: Workshop, job: _Job) -> SamplePaths:
    return paths_of(workshop.directory, workshop.frames[job[0]], job[1])


@contextmanager
def _finished(
    workshop: Workshop, jobs: list[_Job], shown: set[_Job], threads: int
) -> Iterator[Iterator[tuple[_Job, str | None]]]:
    """Give the jobs as they finish, each with its error; an interrupt waits for those that are being made."""

    def run(job: _Job) -> str | None:
        try:
            make_sample(workshop, *job, _paths(workshop, job), with_preview=job in shown)
        except InputError as error:
            return str(error)
        return None

    def outcomes(pool: ThreadPoolExecutor) -> Iterator[tuple[_Job, str | None]]:
        waiting = iter(jobs)
        running: dict[Future[str | None], _Job] = {}
        while True:
            for job in waiting:
                running[pool.submit(run, job)] = job
                if len(running) >= threads * _AHEAD:
                    break
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running.pop(future), future.result()

    with ThreadPoolExecutor(threads, "depthrt-augment") as pool:
        try:
            yield outcomes(pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let OpenCV use one thread in each of ours."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _copy_cameras(frames: tuple[Frame, ...], root: Path) -> None:
    """Copy Hypersim's table of cameras, by which the depth is read."""
    table = next((frame.cameras.path for frame in frames if frame.cameras.path is not None), None)
    if table is not None:
        with atomic_path(root / TABLE) as unfinished:
            shutil.copyfile(table, unfinished)
