"""Where the depth of each source is written, and in which formats."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..depth.write import FILE_SUFFIXES, SUFFIXES, format_of_suffix
from ..errors import InputError
from ..images.read import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from ..system.files import check_reachable
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
}

PICTURES: tuple[Format, ...] = ("color", "side")  # of a video they become one; other formats one file a frame
FRAME_DIGITS = 6  # in the name of a frame's file
_NAMES_OF_FILES = FILE_SUFFIXES.union(IMAGE_SUFFIXES, VIDEO_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how depth is written.

    Args:
        folder: Outputs go here, under the names of their inputs.
        formats: One file each.
        colormap, value_range: As in Depth.colorize.
        file: Takes the place of the folder for a single image in one format.
    """

    folder: Path
    formats: tuple[Format, ...] = ("color",)
    colormap: Colormap | None = None
    value_range: tuple[float, float] | None = None
    file: Path | None = None

    def paths(self, target: Path) -> dict[Path, Format]:
        """Return the files for an image's target, each with its format."""
        if self.file is not None:
            return {self.file: self.formats[0]}
        return {self.folder / target.with_name(target.name + ENDING[format]): format for format in self.formats}

    def videos(self, target: Path) -> dict[Path, Format]:
        """Return the depth videos for a video's target, each with its format."""
        return {path.with_suffix(".mp4"): format for path, format in self.paths(target).items() if format in PICTURES}

    def frame_paths(self, target: Path, index: int) -> dict[Path, Format]:
        """Return the files for one frame of a video's target, each with its format."""
        files = self.paths(target / f"{index:0{FRAME_DIGITS}d}")
        return {path: format for path, format in files.items() if format not in PICTURES}

    def all_paths(self, sources: Sequence[Source]) -> Iterator[Path]:
        """Yield all that will be written; of a video's frames, whose number nobody knows, what is there already."""
        for source in sources:
            if source.kind == "image":
                yield from self.paths(source.target)
                continue
            yield from self.videos(source.target)
            for path in self.frame_paths(source.target, 0):
                yield from path.parent.glob("[0-9]" * FRAME_DIGITS + path.name[FRAME_DIGITS:])

    def shared_paths(self, sources: Sequence[Source]) -> Iterator[Path]:
        """Yield what would hold the depth of two sources, or of a source and of a frame that a video may have."""
        images = [path for source in sources if source.kind == "image" for path in self.paths(source.target)]
        videos = [source for source in sources if source.kind != "image"]
        pictures = [path for source in videos for path in self.videos(source.target)]
        yield from (path for path, times in Counter([*images, *pictures]).items() if times > 1)
        frames = {_numbered(path) for source in videos for path in self.frame_paths(source.target, 0)}
        yield from (path for path in images if _numbered(path) in frames)

    def is_there(self, source: Source) -> bool:
        """Whether everything that a source would give is there already; of single frames nobody knows how many."""
        if source.kind == "image":
            return all(path.exists() for path in self.paths(source.target))
        videos = self.videos(source.target)
        return source.kind == "video" and len(videos) == len(self.formats) and all(path.exists() for path in videos)


def _numbered(path: Path) -> tuple[Path, str]:
    """Return the folder of a file, and its name without the number of a frame."""
    number, rest = path.name[:FRAME_DIGITS], path.name[FRAME_DIGITS:]
    return path.parent, rest if number.isascii() and number.isdigit() else path.name


def choose_output(
    sources: Sequence[Source],
    path: Path,
    *,
    formats: Sequence[Format],
    colormap: Colormap | None = None,
    value_range: tuple[float, float] | None = None,
) -> Output:
    """Return where to write: into the folder `path`, or to the file `path` where it names one of a single image.

    Args:
        formats: None given means "color" in a folder, and what the suffix says for a file.

    Raises:
        InputError: `path` names a file and there are several sources or formats or another suffix is
            expected, the range is empty or endless, or an output would take the place of a source or of another output.
    """
    if value_range is not None and not -math.inf < value_range[0] < value_range[1] < math.inf:
        found = f"{value_range[0]:g} {value_range[1]:g}"
        raise InputError(f"range {found} found, expected two finite values, the lower one first")
    given = tuple(dict.fromkeys(formats))
    check_reachable(path)
    single = _is_single_image(sources)
    named = path.suffix.lower() in _NAMES_OF_FILES or (single and path.suffix != "")  # several may mean folder v1.0
    if not named or path.is_dir():
        output = Output(path, given or ("color",), colormap, value_range)
    else:
        output = Output(path.parent, (_format_of_file(path, sources, given),), colormap, value_range, file=path)
    written = list(output.all_paths(sources))
    refuse_to_replace(written, sources, by="its own depth", option="-o")
    shared = next(output.shared_paths(sources), None)
    if shared is not None:
        raise InputError(f"{shared} would hold the depth of two inputs; give them in runs of their own, each its -o")
    return output


def _is_single_image(sources: Sequence[Source]) -> bool:
    return len(sources) == 1 and sources[0].kind == "image"


def _format_of_file(path: Path, sources: Sequence[Source], given: Sequence[Format]) -> Format:
    """Return the format of a single image's output that the user named."""
    if not _is_single_image(sources):
        raise InputError(
            f"{path} names a file, but there are several images or a video; give a folder, without a suffix"
        )
    if len(given) > 1:
        raise InputError(
            f"{path} names a file, but there are {len(given)} formats ({', '.join(given)}); "
            "give one, or a folder, without a suffix"
        )
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
