"""Written data sets: they read back as the real ones do, and writing can stop and resume at any point."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.regions import REGIONS, region
from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.finetune.data import dataset_files, recipe_file
from depthrt.finetune.data.write_dataset import Dataset, write_hypersim, write_vkitti2
from depthrt.finetune.scenes.render import render_scenes, scene_cameras
from depthrt.finetune.scenes.scene import VERSION, Scenes

FLOAT32 = 3e-7  # relative: depth to distance and back is rounded to float32 twice
JPEG_ERROR = 6.0  # mean of 255, at quality 95
SEED = 40


def read_hypersim(path: str) -> NDArray[np.float64]:
    """Planar depth (768, 1024) by the formula of Hypersim's readers."""
    with h5py.File(path, "r") as file:
        distance = np.array(file["dataset"])
    x = np.linspace(-0.5 * 1024 + 0.5, 0.5 * 1024 - 0.5, 1024).reshape(1, 1024).repeat(768, 0)[..., None]
    y = np.linspace(-0.5 * 768 + 0.5, 0.5 * 768 - 0.5, 768).reshape(768, 1).repeat(1024, 1)[..., None]
    plane = np.concatenate([x, y, np.full([768, 1024, 1], 886.81)], 2)
    depth: NDArray[np.float64] = distance / np.linalg.norm(plane, 2, 2) * 886.81
    return depth


def read_vkitti2(path: str) -> NDArray[np.float64]:
    """Depth in metres by the formula of Virtual KITTI 2's readers."""
    raw = cv2.imread(path, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    assert raw is not None
    assert raw.dtype == np.uint16
    return np.asarray(raw / 100.0, np.float64)


def pairs_of(list_file: Path) -> list[tuple[str, str]]:
    pairs = []
    for line in list_file.read_text().splitlines():
        image, depth = line.split(" ")
        pairs.append((image, depth))
    return pairs


def as_rendered(seeds: list[int], setting: str, size_px: tuple[int, int], focal_px: float) -> Scenes:
    own = scene_cameras(seeds, setting=setting)
    fov = torch.full_like(own.fov_rad, 2 * math.atan(max(size_px) / 2 / focal_px))
    return render_scenes(
        seeds, height_px=size_px[0], width_px=size_px[1], setting=setting, cameras=replace(own, fov_rad=fov)
    )


@pytest.fixture(scope="module")
def hypersim(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_hypersim(tmp_path_factory.mktemp("data") / "hypersim", 1, seed=SEED)


@pytest.fixture(scope="module")
def vkitti2(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_vkitti2(tmp_path_factory.mktemp("data") / "vkitti2", 2, seed=SEED)


def test_hypersim_s_readers_get_the_planar_depth_back(hypersim: Dataset) -> None:
    pairs = [*pairs_of(hypersim.train), *pairs_of(hypersim.val)]
    scenes = as_rendered([SEED], "indoor", (768, 1024), 886.81)
    assert len(pairs) == hypersim.pairs == 1
    for index, (image_path, depth_path) in enumerate(pairs):
        depth, expected = read_hypersim(depth_path), scenes.depth_m[index].numpy()
        assert np.array_equal(np.isnan(depth), expected == 0)
        known = expected > 0
        assert np.max(np.abs(depth[known] - expected[known]) / expected[known]) < FLOAT32
        picture = cv2.imread(image_path)
        assert picture is not None
        rendered = scenes.image[index].permute(1, 2, 0).numpy()[..., ::-1].astype(np.float32)
        assert np.abs(picture.astype(np.float32) - rendered).mean() < JPEG_ERROR


def test_hypersim_s_names_are_those_of_the_real_data_set(hypersim: Dataset) -> None:
    image, depth = pairs_of(hypersim.train)[0]
    root = str(hypersim.directory)
    assert image == f"{root}/ai_001_001/images/scene_cam_00_final_preview/frame.0000.tonemap.jpg"
    assert depth == f"{root}/ai_001_001/images/scene_cam_00_geometry_hdf5/frame.0000.depth_meters.hdf5"


def test_hypersim_s_camera_files_hold_the_cameras_that_rendered(hypersim: Dataset) -> None:
    detail = hypersim.directory / "ai_001_001" / "_detail" / "cam_00"
    with h5py.File(detail / "camera_keyframe_positions.hdf5") as file:
        position = np.array(file["dataset"])[0]
    with h5py.File(detail / "camera_keyframe_orientations.hdf5") as file:
        orientation = np.array(file["dataset"])[0]
    own = scene_cameras([SEED], setting="indoor")
    assert np.allclose(position, own.position[0])
    assert np.linalg.det(orientation) == pytest.approx(1.0)
    assert np.allclose(orientation @ [0, 0, -1], own.rotation[0, :, 2])  # Hypersim's cameras look along -z
    assert np.allclose(orientation @ [0, 1, 0], -own.rotation[0, :, 1])  # and have y up


def test_virtual_kitti_s_readers_get_depth_in_centimetres_and_the_sky_beyond_80_m(vkitti2: Dataset) -> None:
    scenes = as_rendered([SEED, SEED + 1], "outdoor", (375, 1242), 725.0087)
    for index, (image_path, depth_path) in enumerate(pairs_of(vkitti2.train)):
        depth, expected = read_vkitti2(depth_path), scenes.depth_m[index].numpy()
        assert depth.shape == (375, 1242)
        known = (expected > 0) & (expected < 655)
        assert np.max(np.abs(depth[known] - expected[known])) <= 0.005 + 1e-4  # half a centimetre
        assert (depth[expected == 0] == 655.35).all()
        picture = cv2.imread(image_path)
        assert picture is not None
        assert picture.shape == (375, 1242, 3)


def test_virtual_kitti_s_names_and_camera_files_are_those_of_the_real_data_set(vkitti2: Dataset) -> None:
    ((image, depth),) = pairs_of(vkitti2.val)
    folder = vkitti2.directory / "Scene01" / "clone"
    assert image == f"{folder}/frames/rgb/Camera_0/rgb_00001.jpg"
    assert depth == f"{folder}/frames/depth/Camera_0/depth_00001.png"
    intrinsic = (folder / "intrinsic.txt").read_text().splitlines()
    assert intrinsic[0] == "frame cameraID K[0,0] K[1,1] K[0,2] K[1,2]"
    assert [float(value) for value in intrinsic[2].split()] == pytest.approx([1, 0, 725.0087, 725.0087, 620.5, 187])
    extrinsic = (folder / "extrinsic.txt").read_text().splitlines()
    assert extrinsic[0] == "frame cameraID r1,1 r1,2 r1,3 t1 r2,1 r2,2 r2,3 t2 r3,1 r3,2 r3,3 t3 0 0 0 1"
    matrix = np.array([float(value) for value in extrinsic[1].split()[2:]]).reshape(4, 4)
    assert np.allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-8)
    own = scene_cameras([SEED], setting="outdoor")
    x, y, z = (own.position[0] + own.rotation[0, :, 2]).tolist()  # a metre ahead
    assert np.allclose(matrix @ [x, -z, y, 1], [0, 0, 1, 1], atol=1e-6)  # KITTI's world: x right, y down, z forward


@pytest.mark.parametrize(
    ("layout", "setting", "focal_px"), [("hypersim", "indoor", 886.81), ("vkitti2", "outdoor", 725.0087)]
)
def test_the_manifest_gives_each_scene_the_regions_that_were_rendered(
    layout: str, setting: str, focal_px: float, request: pytest.FixtureRequest
) -> None:
    written: Dataset = request.getfixturevalue(layout)
    found = open_ground_truth(written.directory)
    assert len(found) == written.pairs and len({pair.scene for pair in found.pairs}) == written.pairs
    size_px = found.pairs[0].read().truth.shape
    scenes = as_rendered([SEED + index for index in range(written.pairs)], setting, size_px, focal_px)
    for index, sample in enumerate(found):
        assert sample.regions is not None
        for name in REGIONS:
            assert np.array_equal(region(sample.regions, name), getattr(scenes, name)[index].numpy())
        assert not (region(sample.regions, "sky") & sample.truth.valid).any()


def test_a_folder_of_an_older_version_keeps_working(tmp_path: Path) -> None:
    written = write_vkitti2(tmp_path / "d", 3, height_px=12, width_px=16)
    (written.directory / "manifest.jsonl").unlink()
    shutil.rmtree(written.directory / "Scene01" / "clone" / "frames" / "regions")
    assert [pair.split for pair in open_ground_truth(written.directory).pairs] == [None] * 3
    grown = write_vkitti2(tmp_path / "d", 4, height_px=12, width_px=16)
    masks = [pair.mask is not None for pair in open_ground_truth(grown.directory).pairs]
    assert masks == [False, False, False, True]


def test_one_scene_of_ten_is_for_validation_and_stays_so(tmp_path: Path) -> None:
    lists = []
    for count in (2, 9, 13):
        written = write_hypersim(tmp_path / "h", count, height_px=12, width_px=16)
        lists.append((pairs_of(written.train), pairs_of(written.val)))
    assert [(len(train), len(val)) for train, val in lists] == [(1, 1), (8, 1), (11, 2)]
    train, val = lists[-1]
    assert not set(train) & set(val)
    for before, validated in lists:
        assert set(before) <= set(train) and set(validated) <= set(val)


def relative_files(folder: Path) -> dict[Path, bytes]:
    """Return the files of a folder whose content does not depend on where it lies."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in ("train.txt", "val.txt")]
    return {path.relative_to(folder): path.read_bytes() for path in files}


def test_a_stopped_run_leaves_whole_files_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = write_vkitti2(tmp_path / "whole", 6, height_px=24, width_px=80)
    calls = 0

    def interrupted(path: Path, depth: NDArray[np.uint16]) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        original(path, depth)

    original = dataset_files.write_png
    monkeypatch.setattr("depthrt.finetune.data.write_dataset.write_png", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_vkitti2(tmp_path / "cut", 6, height_px=24, width_px=80)
    monkeypatch.undo()
    left = sorted(path.name for path in (tmp_path / "cut").rglob("*") if path.is_file())
    assert not [name for name in left if name.startswith(".")]
    assert sum(name.startswith("depth_") for name in left) == 3
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "cut").rglob("depth_*.png")}
    seen: list[tuple[int, int]] = []
    resumed = write_vkitti2(
        tmp_path / "cut", 6, height_px=24, width_px=80, on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen[0] == (3, 6)
    assert seen[-1] == (6, 6)
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())
    for (ours, depth), (theirs, expected) in zip(pairs_of(resumed.train), pairs_of(whole.train), strict=True):
        assert Path(ours).read_bytes() == Path(theirs).read_bytes()
        assert Path(depth).read_bytes() == Path(expected).read_bytes()
    assert relative_files(tmp_path / "cut") == relative_files(tmp_path / "whole")


def test_more_scenes_can_be_added(tmp_path: Path) -> None:
    write_hypersim(tmp_path / "h", 2, height_px=12, width_px=16)
    grown = write_hypersim(tmp_path / "h", 4, height_px=12, width_px=16)
    assert len(pairs_of(grown.train)) + len(pairs_of(grown.val)) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 5}, "holds scenes of .* was asked for; choose another folder"),
        ({"setting": "outdoor"}, "choose another folder"),
        ({"width_px": 17}, "choose another folder"),
    ],
)
def test_a_folder_of_other_scenes_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    options: dict[str, object] = {"height_px": 12, "width_px": 16}
    write_hypersim(tmp_path / "h", 1, **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message) as caught:
        write_hypersim(tmp_path / "h", 1, **{**options, **change})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_folder_of_someone_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("not to be mixed with scenes")
    with pytest.raises(InputError, match=r"is not empty and has no scenes\.json"):
        write_vkitti2(tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("name", ["my rooms", "my\trooms"])
def test_a_folder_with_a_blank_in_its_path_is_written_and_its_lists_are_read(tmp_path: Path, name: str) -> None:
    root = tmp_path / name / "a"
    dataset = write_vkitti2(root, 2, height_px=12, width_px=40)
    for split, path in (("train", dataset.train), ("val", dataset.val)):
        ((image, depth),) = pairs_of(path)
        (pair,) = open_ground_truth(path).pairs
        assert (pair.image, pair.depth) == (root / image, root / depth), split
        assert not Path(image).is_absolute() and pair.read().truth.valid.any()
    assert len(open_ground_truth(root).pairs) == 2


def test_a_folder_that_cannot_be_named_in_the_lists_is_refused_before_anything_is_rendered(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\\udcff' is not Unicode, and the lists are written in UTF-8"):
        write_vkitti2(tmp_path / "a\udcff", 1, height_px=12, width_px=40)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"loop cannot be used \(.*loop.*\); choose another folder"):
        write_vkitti2(tmp_path / "loop", 1, height_px=12, width_px=40)
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


def test_scenes_of_another_version_are_not_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_hypersim(tmp_path / "h", 1, height_px=12, width_px=16)
    monkeypatch.setattr(recipe_file, "VERSION", VERSION + 1)
    with pytest.raises(InputError, match=r"holds scenes of .* was asked for; choose another folder"):
        write_hypersim(tmp_path / "h", 2, height_px=12, width_px=16)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="cannot be used"):
        write_hypersim(tmp_path / "out", 1)


def test_no_scenes_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="count 0 found, expected 1 to 10000000 scenes"):
        write_hypersim(tmp_path / "h", 0)


def test_a_data_set_does_not_shrink(tmp_path: Path) -> None:
    write_vkitti2(tmp_path / "d", 3, height_px=12, width_px=16)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="holds 3 scenes, 2 were asked for; ask for as many"):
        write_vkitti2(tmp_path / "d", 2, height_px=12, width_px=16)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_stopped_run_may_resume_with_fewer_scenes_if_no_rendered_one_is_left_out(tmp_path: Path) -> None:
    def stop(done: int, wanted: int) -> None:
        raise KeyboardInterrupt

    for write in (write_hypersim, write_vkitti2):
        root = tmp_path / write.__name__
        with pytest.raises(KeyboardInterrupt):
            write(root, 1000, height_px=12, width_px=16, on_progress=stop)
        assert write(root, 2, height_px=12, width_px=16).pairs == 2
        with pytest.raises(InputError, match="holds 2 scenes, 1 were asked for; ask for as many"):
            write(root, 1, height_px=12, width_px=16)


def test_a_refused_call_leaves_the_folder_to_the_next(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="setting 'indor' found"):
        write_hypersim(tmp_path / "h", 1, height_px=12, width_px=16, setting="indor")
    with pytest.raises(InputError, match="size 0x16, samples 1 found; expected"):
        write_hypersim(tmp_path / "h", 1, height_px=0, width_px=16)
    with pytest.raises(InputError, match=r"samples 2 found; expected .* a square number of samples"):
        write_hypersim(tmp_path / "h", 1, height_px=12, width_px=16, samples=2)
    if not torch.cuda.is_available():
        with pytest.raises(BackendUnavailable, match="cuda was asked for"):
            write_hypersim(tmp_path / "h", 1, height_px=12, width_px=16, device="cuda")
    assert write_hypersim(tmp_path / "h", 1, height_px=12, width_px=16).pairs == 1
