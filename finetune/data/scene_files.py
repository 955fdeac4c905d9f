"""Where the files of written scenes lie, in the layouts of Hypersim and Virtual KITTI 2, and lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...bench.datasets.manifest import MANIFEST, Entry, Split, write_manifest
from .dataset_files import write_text

VKITTI2_FRAMES = 20  # frames of a Scene folder
_SCENES_A_VOLUME = 100  # ai_VVV_NNN: scenes NNN of a volume VVV
_VALIDATION_EVERY = 10  # one scene of so many is for validation


@dataclass(frozen=True, slots=True)
class SceneFiles:
    """Paths of a scene.

    Args:
        index: Number of the scene.
        name: Of the scene; each has its own.
        folder: ai_VVV_NNN, or SceneNN/VARIANT.
        image: The picture.
        depth: Its depth, which is written last.
        regions: Its region mask; folders of older versions lack it.
    """

    index: int
    name: str
    folder: Path
    image: Path
    depth: Path
    regions: Path

    @property
    def split(self) -> Split:
        """Return the side that the scene is for; it stays so if scenes are added."""
        return "val" if self.index % _VALIDATION_EVERY == 1 else "train"


def hypersim_files(root: Path, index: int) -> SceneFiles:
    """Return the paths of a scene in the layout of Hypersim."""
    volume, scene = divmod(index, _SCENES_A_VOLUME)
    name = f"ai_{volume + 1:03d}_{scene + 1:03d}"
    images = root / name / "images"
    return SceneFiles(
        index,
        name,
        root / name,
        images / "scene_cam_00_final_preview" / "frame.0000.tonemap.jpg",
        images / "scene_cam_00_geometry_hdf5" / "frame.0000.depth_meters.hdf5",
        images / "scene_cam_00_regions" / "frame.0000.regions.png",
    )


def vkitti2_files(root: Path, index: int) -> SceneFiles:
    """Return the paths of a scene in the layout of Virtual KITTI 2, where each frame shows another scene."""
    scene, frame = divmod(index, VKITTI2_FRAMES)
    folder = root / f"Scene{scene + 1:02d}" / "clone"
    frames = folder / "frames"
    return SceneFiles(
        index,
        f"Scene{scene + 1:02d}-{frame:05d}",
        folder,
        frames / "rgb" / "Camera_0" / f"rgb_{frame:05d}.jpg",
        frames / "depth" / "Camera_0" / f"depth_{frame:05d}.png",
        frames / "regions" / "Camera_0" / f"regions_{frame:05d}.png",
    )


def write_lists(root: Path, scenes: Sequence[SceneFiles]) -> tuple[Path, Path]:
    """Write the manifest of a data set, and the lists of its training and validation; return the lists.

    A blank separates the two paths of a line, so that paths are relative to the folder if its own path has one.
    """
    write_manifest(root / MANIFEST, [_entry(root, scene) for scene in scenes])
    lists = {"train": root / "train.txt", "val": root / "val.txt"}
    base = root if any(map(str.isspace, str(root))) else None
    for split, path in lists.items():
        pairs = [(scene.image, scene.depth) for scene in scenes if scene.split == split]
        if base is not None:
            pairs = [(image.relative_to(base), depth.relative_to(base)) for image, depth in pairs]
        write_text(path, "".join(f"{image} {depth}\n" for image, depth in pairs))
    return lists["train"], lists["val"]


def _entry(root: Path, scene: SceneFiles) -> Entry:
    image, depth, regions = (path.relative_to(root).as_posix() for path in (scene.image, scene.depth, scene.regions))
    return Entry(image, depth, scene.name, regions if scene.regions.is_file() else None, scene.split)
