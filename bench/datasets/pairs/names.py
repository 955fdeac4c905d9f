"""Whether the names of an image and a depth file say that they belong to different frames."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from .find import PairFiles
from .scenes import kitti_frame

_HYPERSIM = re.compile(r"([^/]+)/images/scene_(cam_\d+)_[^/]+/frame\.(\d+)\.[^/]+$")
_VKITTI2 = re.compile(r"([^/]+)/([^/]+)/frames/[^/]+/(Camera_\d+)/[a-z]+_(\d+)\.[^/]+$")
_KINDS = re.compile(
    r"rgb|image|img|colou?r|photo|left|depths?|sync|gt|ground_?truth|disparity|disp|regions?|mask", re.IGNORECASE
)


def frame_of(path: Path) -> tuple[str, ...] | None:
    """Return scene, camera and number of a frame of Hypersim, Virtual KITTI 2 or KITTI; None for other paths."""
    text = path.absolute().as_posix()
    for pattern in (_HYPERSIM, _VKITTI2):
        if found := pattern.search(text):
            return found.groups()
    frame = kitti_frame(path)
    return frame if all(frame) else None


def find_other_frames(pairs: Iterable[PairFiles]) -> dict[PairFiles, str]:
    """Return the pairs whose files are named after different frames, and why.

    In known layouts the whole frame is compared. In others the names are compared without the words for what they
    hold, and two names differ if one of them is also that of another pair's other file in the scene.
    """
    pairs = list(pairs)
    images: defaultdict[str, set[str]] = defaultdict(set)
    depths: defaultdict[str, set[str]] = defaultdict(set)
    for one in pairs:
        images[one.scene].add(_bare(one.image))
        depths[one.scene].add(_bare(one.depth))
    found = {one: _other_frame(one, images[one.scene], depths[one.scene]) for one in pairs}
    return {one: why for one, why in found.items() if why}


def _other_frame(one: PairFiles, images: set[str], depths: set[str]) -> str | None:
    image, depth = frame_of(one.image), frame_of(one.depth)
    if image is not None and depth is not None:
        return _differs(one, image, depth) if image != depth else None
    names = _bare(one.image), _bare(one.depth)
    if names[0] != names[1] and (names[0] in depths or names[1] in images):
        return f"{one.image} has the depth {one.depth}, and others of the data set have these names"
    return None


def _differs(one: PairFiles, image: tuple[str, ...], depth: tuple[str, ...]) -> str:
    return f"{one.image} shows {' '.join(image)}, its depth {one.depth.name} {' '.join(depth)}, expected one frame"


def _bare(path: Path) -> str:
    """Return the name of a file without the words for what it holds, and without what separates words."""
    return re.sub(r"[_.\s-]+", "", _KINDS.sub("", path.stem)).lower()
