"""Sources and an output path in, jobs out: which files hold the depth of each source, decided once."""

from __future__ import annotations

import math
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..depth.write import FILE_SUFFIXES, SUFFIXES, format_of_suffix
from ..errors import InputError
from ..images.kinds import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from ..system.files import check_reachable, longest_name_bytes
from ..terms import Colormap, Format
from .sources import Source, refuse_to_replace

ENDING: dict[Format, str] = {
    "color": ".png",
    "side": "_side.png",
    "png16": "_depth16.png",
    "npy": ".npy",
    "npz": ".npz",
    "pfm": ".pfm",
    "exr": ".exr",
    "tiff": ".tiff",
    "ply": ".ply",
    "pcd": ".pcd",
}
STDOUT = Path("-")  # as an output: standard output
VIDEO_SUFFIX = ".mp4"  # of depth videos
PICTURES: tuple[Format, ...] = ("color", "side")  # for a video these are depth videos, others a file per frame
FRAME_DIGITS = 6  # in the name of a frame's file
_NAMES_OF_FILES = FILE_SUFFIXES.union(IMAGE_SUFFIXES, VIDEO_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Style:
    """How depth is painted.

    Args:
        colormap: As in Depth.colorize.
        value_range: As in Depth.colorize; also the scale of a png16 of depth without a unit. None: the extremes of
            each image, and the steady range of a video.

    Raises:
        InputError: The range is empty or infinite.
    """

    colormap: Colormap | None = None
    value_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.value_range is not None and not -math.inf < self.value_range[0] < self.value_range[1] < math.inf:
            found = f"{self.value_range[0]:g} {self.value_range[1]:g}"
            raise InputError(f"range {found} found, expected two finite values, the lower one first")


PLAIN = Style()


@dataclass(frozen=True, slots=True)
class Job:
    """A source and the files that its depth goes to.

    Args:
        source: What is read.
        files: Each file with its format: all files of an image, the depth videos of a video or camera.
        frame_folder: Folder for the files of single frames; unused for an image.
        frame_formats: Formats that give a file per frame; empty for an image.
    """

    source: Source
    files: Mapping[Path, Format]
    frame_folder: Path = Path()
    frame_formats: tuple[Format, ...] = ()

    def frame_files(self, index: int) -> dict[Path, Format]:
        """Return the files of a frame, each with its format."""
        return {
            self.frame_folder / f"{index:0{FRAME_DIGITS}d}{ENDING[format]}": format for format in self.frame_formats
        }

    def check_names(self) -> None:
        """Raise InputError if the disk does not take the name of an output, which is longer than that of its input."""
        names = {path: path.name.removeprefix(self.source.target.name) for path in self.files}
        if self.frame_formats:
            names[self.frame_folder] = ""
        for path, ending in names.items():
            most, length = longest_name_bytes(path.parent), len(os.fsencode(path.name))
            if length > most:
                added = f"{ending} is added to it, so it may have {most - len(ending)}" if ending else "shorten it"
                raise InputError(
                    f"{self.source.title}: the name {path.name} of its depth has {length} bytes, expected at most "
                    f"{most}; {added}; rename the input"
                )

    def is_done(self, since_s: float = 0.0) -> bool:
        """Whether every output exists; never true of single frames, as their number is unknown, nor of a camera.

        Args:
            since_s: Older outputs do not count; in seconds since 1970.
        """
        if self.source.kind == "camera" or self.frame_formats:
            return False
        try:
            return all(path.stat().st_mtime >= since_s for path in self.files)
        except OSError:
            return False


def plan_jobs(sources: Sequence[Source], output: Path, *, formats: Sequence[Format] = ()) -> list[Job]:
    """Return a job per source, after checking that no output replaces a source or another output.

    Args:
        sources: As find_sources gives them.
        output: A folder; or, for a single image, video or camera, the file to write; STDOUT for a single image.
        formats: None given means "color" in a folder, and the format of the suffix for a file.

    Raises:
        InputError: `output` names a file and there are several sources or formats, or its suffix does not fit;
            or an output would replace a source or another output.
    """
    given = tuple(dict.fromkeys(formats))
    if output == STDOUT:
        return [_job_of_stdout(sources, given)]
    check_reachable(output)
    if _names_file(output, sources):
        jobs = [_job_of_file(output, sources, given)]
    else:
        jobs = make_jobs(sources, output, given or ("color",))
    refuse_to_replace(all_files(jobs), sources, by="its own depth", option="-o")
    shared = next(_shared_files(jobs), None)
    if shared is not None:
        raise InputError(f"{shared} would hold the depth of two inputs; run them separately, each with another -o")
    return jobs


def make_jobs(sources: Sequence[Source], folder: Path, formats: Sequence[Format]) -> list[Job]:
    """Return a job per source with its outputs below `folder`; reads no disk and checks nothing.

    Args:
        formats: Each once.
    """
    return [_make_job(source, folder / source.target, formats) for source in sources]


def all_files(jobs: Sequence[Job]) -> Iterator[Path]:
    """Yield the outputs of all jobs; of single frames, whose number is unknown, those that exist already."""
    for job in jobs:
        yield from job.files
        for path in job.frame_files(0):
            yield from path.parent.glob("[0-9]" * FRAME_DIGITS + path.name[FRAME_DIGITS:])


def _make_job(source: Source, stem: Path, formats: Sequence[Format]) -> Job:
    """Return the job of a source whose outputs are named after `stem`, a path without a suffix."""
    files = {stem.with_name(stem.name + ENDING[format]): format for format in formats}
    if source.kind == "image":
        return Job(source, files)
    videos = {path.with_suffix(VIDEO_SUFFIX): format for path, format in files.items() if format in PICTURES}
    return Job(source, videos, stem, tuple(format for format in formats if format not in PICTURES))


def _shared_files(jobs: Sequence[Job]) -> Iterator[Path]:
    """Yield files that would hold the depth of two sources, or of a source and of a frame that a video may have."""
    files = Counter(path for job in jobs for path in job.files)
    yield from (path for path, count in files.items() if count > 1)
    frames = {_without_number(path) for job in jobs for path in job.frame_files(0)}
    yield from (path for path in files if _without_number(path) in frames)


def _without_number(path: Path) -> tuple[Path, str]:
    """Return the folder of a file, and its name without the number of a frame."""
    number, rest = path.name[:FRAME_DIGITS], path.name[FRAME_DIGITS:]
    return path.parent, rest if number.isascii() and number.isdigit() else path.name


def _names_file(output: Path, sources: Sequence[Source]) -> bool:
    """Whether `output` is meant as a file; with several sources, and a video, v1.0 may be a folder."""
    suffix = output.suffix.lower()
    named = suffix in _NAMES_OF_FILES or (_is_single_image(sources) and suffix != "")
    return named and not output.is_dir()


def _is_single_image(sources: Sequence[Source]) -> bool:
    return len(sources) == 1 and sources[0].kind == "image"


def _job_of_stdout(sources: Sequence[Source], given: Sequence[Format]) -> Job:
    """Return the job of a single image whose depth goes to standard output."""
    if not _is_single_image(sources):
        kinds = "a video or camera" if len(sources) == 1 else f"{len(sources)} inputs"
        raise InputError(f"-o - writes the depth of one image to standard output, {kinds} found; give a folder with -o")
    if len(given) > 1:
        raise InputError(f"-o - writes one file to standard output, {len(given)} formats found ({', '.join(given)})")
    if sys.stdout is None or sys.stdout.isatty():
        found = "closed" if sys.stdout is None else "a terminal"
        raise InputError(f"standard output is {found}, -o - expects a pipe or a file there: ... -o - > depth.png")
    return Job(sources[0], {STDOUT: given[0] if given else "color"})


def _job_of_file(path: Path, sources: Sequence[Source], given: Sequence[Format]) -> Job:
    """Return the job of a single source whose output is the file that the user named."""
    if len(sources) > 1:
        raise InputError(
            f"{path} names a file, but there are {len(sources)} inputs; give a folder, without a suffix, or one input"
        )
    if len(given) > 1:
        raise InputError(
            f"{path} names a file, but there are {len(given)} formats ({', '.join(given)}); "
            "give one, or a folder, without a suffix"
        )
    find = _format_of_image if sources[0].kind == "image" else _format_of_video
    return Job(sources[0], {path: find(path, given)})


def _format_of_image(path: Path, given: Sequence[Format]) -> Format:
    """Return the format of the file that the user named for a single image."""
    try:
        format = given[0] if given else format_of_suffix(path)
    except InputError as error:
        raise InputError(f"{error}; if it is a folder, make it first") from error
    if path.suffix.lower() not in SUFFIXES[format]:
        expected = " or ".join(SUFFIXES[format])
        raise InputError(
            f"{path}: suffix {path.suffix!r} found, format {format} expects {expected}; change one of them"
        )
    return format


def _format_of_video(path: Path, given: Sequence[Format]) -> Format:
    """Return the format of the depth video that the user named for a single video or camera."""
    format = given[0] if given else "color"
    if format not in PICTURES:
        raise InputError(
            f"{path} names a file, but format {format} gives a file per frame; give a folder, without a suffix"
        )
    if path.suffix.lower() != VIDEO_SUFFIX:
        raise InputError(
            f"{path}: suffix {path.suffix!r} found, a depth video expects {VIDEO_SUFFIX}; "
            "change it, or give a folder, without a suffix"
        )
    return format
