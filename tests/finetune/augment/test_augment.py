"""Augmented folders: depth is a plane in every mask, all else keeps its bits, a stopped run ends in the same files."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from augmented_rooms import files_in, flat_parts, plane_residual, samples_in
from drawn_room import draw_room, write_hypersim_rooms, write_vkitti2_rooms

from depthrt import InputError
from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.hypersim_cameras import TABLE
from depthrt.bench.datasets.manifest import Entry, write_manifest
from depthrt.bench.datasets.regions import region
from depthrt.engine.depth.write import write_file
from depthrt.finetune.augment import augment as module
from depthrt.finetune.augment.augment import augment
from depthrt.finetune.augment.options import Options, read_kinds

FLOAT32 = 1e-6  # relative: planar depth to distance and back, rounded to float32 three times
HALF_CM = 0.0051  # metres: Virtual KITTI's depth is rounded to 1 cm
SADDLE = 100  # times FLOAT32: what the study's edit is off by at least, where it is not nearly a plane
COPIES = 4
SEED = 3  # which draws every kind of edit, and untouched frames
ROOMS = 3
MATRIX = (0.6, 0, 0.05, 0, 0.45, -0.02, 0, 0, -1)  # of a shifted lens


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hypersim_rooms(tmp_path_factory.mktemp("a data set") / "rooms", ROOMS)


@pytest.fixture(scope="module")
def augmented(rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("augmented") / "done"
    augment(rooms, folder, Options(copies=COPIES, seed=SEED), jobs=1, previews=2)
    return folder


def raw_of(path: Path) -> np.typing.NDArray[np.float32]:
    with h5py.File(path) as file:
        return np.array(file["dataset"])


def test_inverse_depth_is_affine_in_every_mask_of_hypersim(augmented: Path) -> None:
    parts = 0
    for _, sample, about in samples_in(augmented):
        planes = np.array([edit["plane"] for edit in about["edits"]])
        for part in flat_parts(sample):
            residual, plane = plane_residual(sample, part)
            assert residual < FLOAT32
            assert np.abs(planes - plane).max(1).min() < FLOAT32, "as its sidecar says"
            parts += 1
    assert parts > ROOMS * COPIES / 3


def test_the_study_s_edit_is_no_plane(rooms: Path, tmp_path: Path) -> None:
    augment(rooms, tmp_path / "d", Options(read_kinds("art,mirror"), copies=2, seed=1, study=True), jobs=1)
    found = [
        plane_residual(sample, part)[0] for _, sample, _ in samples_in(tmp_path / "d") for part in flat_parts(sample)
    ]
    assert np.median(found) > SADDLE * FLOAT32
    assert np.mean(np.array(found) > FLOAT32) > 0.9


def test_untouched_depth_keeps_its_bits_and_nan_stays_nan(rooms: Path, augmented: Path) -> None:
    for pair, sample, about in samples_in(augmented):
        assert pair.depth is not None
        source = raw_of(rooms / pair.depth.relative_to(augmented / "depth").as_posix().split("/", 1)[1])
        edited = raw_of(pair.depth)
        assert edited.dtype == source.dtype
        assert np.isnan(edited[np.isnan(source)]).all()
        changed = (edited.view(np.int32) != source.view(np.int32)) & ~np.isnan(source)
        inside = np.zeros(source.shape, np.uint8)
        for edit in about["edits"]:
            cv2.fillPoly(inside, [np.rint(np.array(edit["outline_px"]) * 16).astype(np.int32)], 1, shift=4)
        assert not changed[cv2.dilate(inside, np.ones((3, 3))) == 0].any()
        assert sample.regions is not None and not sample.regions[np.isnan(source)].any()


def test_a_frame_without_an_edit_is_a_copy(rooms: Path, augmented: Path) -> None:
    untouched = [pair for pair, _, about in samples_in(augmented) if not about["edits"]]
    assert untouched
    for pair in untouched:
        for folder, path in (("image", pair.image), ("depth", pair.depth)):
            assert path is not None
            source = rooms / path.relative_to(augmented / folder).as_posix().split("/", 1)[1]
            assert path.read_bytes() == source.read_bytes()


def test_what_stands_in_front_stays_in_front(augmented: Path) -> None:
    room = draw_room(96, 128)
    hidden = 0
    for _, sample, about in samples_in(augmented):
        for edit in about["edits"]:
            if not edit["of_scene"] or np.abs(np.array(edit["plane"])).sum() == 0:
                continue
            post = room.wall == -1
            v, u = np.nonzero(post)
            behind = np.array(edit["plane"]) @ np.stack([u, v, np.ones(len(u))]) < 1 / room.depth_m[post] * 0.98
            assert sample.regions is not None
            if len(about["edits"]) == 1:
                assert not sample.regions[post][behind].any()
                hidden += int(behind.any())
    assert hidden


def test_virtual_kitti_keeps_its_sky_and_its_centimetres(tmp_path: Path) -> None:
    source = write_vkitti2_rooms(tmp_path / "kitti", 3)
    augment(source, tmp_path / "d", Options(copies=2, seed=3), jobs=1)
    parts = 0
    for pair, sample, about in samples_in(tmp_path / "d"):
        assert pair.depth is not None
        relative = pair.depth.relative_to(tmp_path / "d" / "depth").as_posix().split("/", 1)[1]
        codes, before = (
            np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)) for path in (pair.depth, source / relative)
        )
        assert codes.dtype == np.uint16
        assert sample.regions is not None
        if not about["edits"]:
            assert (codes == before).all()
        sky = region(sample.regions, "sky")
        assert (codes[sky] == 65535).all() and ((codes == 65535) == sky).all()
        for part in flat_parts(sample):
            _, plane = plane_residual(sample, part)
            wanted = min((edit["plane"] for edit in about["edits"]), key=lambda own: np.abs(plane - own).max())
            v, u = np.nonzero(part)
            depth = 1 / (np.array(wanted) @ np.stack([u, v, np.ones(len(u))]))
            assert np.abs(depth - sample.truth.values[part]).max() < HALF_CM
            parts += 1
    assert parts


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("kind", ["metric", "inverse", "256ths"])
def test_plain_files_of_each_kind_are_planar_in_their_masks(kind: str, scale: int, tmp_path: Path) -> None:
    """With images of the size of the depth, and twice as large."""
    source = tmp_path / "source"
    source.mkdir()
    for number in range(2):
        room = draw_room(96, 128, seed=number)
        cv2.imwrite(str(source / f"a{number}.png"), draw_room(96 * scale, 128 * scale, seed=number).image)
        known = room.depth_m < 3.8
        if kind == "256ths":
            codes = np.where(known, np.rint(room.depth_m * 256), 0).astype(np.uint16)
            cv2.imwrite(str(source / f"a{number}_depth.png"), codes)
        else:
            values = np.asarray(room.depth_m if kind == "metric" else 1 / room.depth_m, np.float32)
            facts = {"kind": kind, "unit": "", "model": "", "max_depth_m": "nan", "provenance": "{}"}
            write_file(source / f"a{number}.npz", "npz", values, known, facts)
    options = Options(read_kinds("art,mirror"), copies=2, seed=2)
    done = augment(source, tmp_path / "d", options, units_per_m=256, jobs=1)
    assert done.failures == ()
    parts = 0
    for _, sample, about in samples_in(tmp_path / "d"):
        assert sample.truth.kind == ("inverse" if kind == "inverse" else "metric")
        v, u = np.nonzero(sample.truth.valid)
        planes = np.array([edit["plane"] for edit in about["edits"]]) @ np.stack([u, v, np.ones(len(u))])
        found = sample.truth.values[sample.truth.valid].astype(np.float64)
        inverse = found if kind == "inverse" else 1 / found
        flat = (sample.regions[sample.truth.valid] & 3) > 0 if sample.regions is not None else u < 0
        off = np.abs(inverse / planes - 1).min(0)
        assert off[flat].max() < (1 / 512 if kind == "256ths" else FLOAT32)
        assert not sample.regions[~sample.truth.valid].any() if sample.regions is not None else False
        parts += int(flat.any())
    assert parts == 4


def test_windows_stay_deep(rooms: Path, augmented: Path, tmp_path: Path) -> None:
    augment(rooms, tmp_path / "d", Options(read_kinds("negative"), copies=3, seed=2), jobs=1)
    windows = 0
    for pair, sample, about in samples_in(tmp_path / "d"):
        assert pair.depth is not None and sample.regions is not None
        window = region(sample.regions, "window") & sample.truth.valid
        for edit in about["edits"] if window.any() else ():
            v, u = np.nonzero(window)
            frame = 1 / (np.array(edit["plane"]) @ np.stack([u, v, np.ones(len(u))]))
            assert (sample.truth.values[window] > frame).mean() > 0.99
            windows += 1
    assert windows


def test_the_manifest_keeps_scenes_and_splits_and_paths_with_spaces(rooms: Path, tmp_path: Path) -> None:
    entries = []
    for number, pair in enumerate(open_ground_truth(rooms).pairs):
        assert pair.image is not None and pair.depth is not None
        image, depth = (path.relative_to(rooms).as_posix() for path in (pair.image, pair.depth))
        entries.append(Entry(image, depth, f"scene {number}", None, "train" if number else "test", "hypersim"))
    listed = shutil.copytree(rooms, tmp_path / "of rooms")
    write_manifest(listed / "manifest.jsonl", entries)
    done = augment(listed, tmp_path / "with a space", Options(copies=2), jobs=1)
    assert done.samples == 2 * ROOMS and done.failures == ()
    found = open_ground_truth(done.manifest)
    assert [pair.scene for pair in found.pairs] == [f"scene {number}" for number in range(ROOMS)] * 2
    assert [pair.split for pair in found.pairs] == ["test", "train", "train"] * 2
    assert all(pair.mask is not None and pair.read().regions is not None for pair in found.pairs)


def test_a_scene_s_own_camera_makes_the_plane(rooms: Path, tmp_path: Path) -> None:
    """A shifted lens: with the standard camera's factor, the depth in the masks would not be planar."""
    listed = shutil.copytree(rooms, tmp_path / "rooms")
    columns = [f"M_cam_from_uv_{row}{column}" for row in range(3) for column in range(3)]
    rows = [",".join([f"ai_001_{number + 1:03d}", *map(str, MATRIX)]) for number in range(ROOMS)]
    (listed / TABLE).write_text("\n".join([",".join(["scene_name", *columns]), *rows]))
    augment(listed, tmp_path / "d", Options(read_kinds("art"), copies=2, seed=5), jobs=1)
    assert (tmp_path / "d" / TABLE).read_text() == (listed / TABLE).read_text()
    residuals = [
        plane_residual(sample, part)[0] for _, sample, _ in samples_in(tmp_path / "d") for part in flat_parts(sample)
    ]
    assert residuals and max(residuals) < FLOAT32
    (tmp_path / "d" / TABLE).unlink()
    standard = [
        plane_residual(sample, part)[0] for _, sample, _ in samples_in(tmp_path / "d") for part in flat_parts(sample)
    ]
    assert max(standard) > 100 * FLOAT32


def test_threads_and_order_change_nothing(
    rooms: Path, augmented: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs_of = module._jobs
    monkeypatch.setattr(module, "_jobs", lambda workshop: jobs_of(workshop)[::-1])
    augment(rooms, tmp_path / "d", Options(copies=COPIES, seed=SEED), jobs=3)
    monkeypatch.undo()
    augment(rooms, tmp_path / "d", Options(copies=COPIES, seed=SEED), jobs=2, previews=2)
    assert files_in(tmp_path / "d") == files_in(augmented)


def test_a_killed_run_leaves_whole_files_and_resumes_to_the_same(rooms: Path, augmented: Path, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    command = [sys.executable, "-m", "depthrt", "finetune", "augment", str(rooms), "-o", str(folder)]
    arguments = ["--copies", str(COPIES), "--seed", str(SEED), "--preview", "2", "--jobs", "2"]
    with subprocess.Popen([*command, *arguments], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while len(list(folder.glob("sidecar/*/**/*.json"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    wanted = files_in(augmented)
    left = {name: data for name, data in files_in(folder).items() if not Path(name).name.startswith(".")}
    assert 3 < len(left) < len(wanted)
    assert {name: wanted[name] for name in left} == left, "whole under their names"
    (folder / "image" / "0" / "ai_001_001" / "images" / "scene_cam_00_final_preview").mkdir(parents=True, exist_ok=True)
    torn = (
        folder
        / "image"
        / "0"
        / "ai_001_001"
        / "images"
        / "scene_cam_00_final_preview"
        / ".frame.0000.tonemap.0123abcd.jpg"
    )
    if (folder / "sidecar" / "0" / "ai_001_001").exists():
        shutil.rmtree(folder / "sidecar" / "0" / "ai_001_001")
    torn.write_bytes(b"half")
    augment(rooms, folder, Options(copies=COPIES, seed=SEED), jobs=1, previews=2)
    assert files_in(folder) == wanted


def test_an_unreadable_frame_is_named_and_the_others_are_made(rooms: Path, tmp_path: Path) -> None:
    damaged = shutil.copytree(rooms, tmp_path / "rooms")
    next(damaged.glob("ai_001_002/**/*.jpg")).write_bytes(b"no picture")
    progress: list[tuple[int, int]] = []
    done = augment(damaged, tmp_path / "d", on_progress=lambda *step: progress.append(step), jobs=1)
    assert done.samples == ROOMS - 1
    ((name, error),) = done.failures
    assert name.startswith("ai_001_002") and "frame.0000.tonemap.jpg" in error
    assert progress == [(number, ROOMS) for number in range(ROOMS + 1)]
    assert len(open_ground_truth(done.manifest).pairs) == ROOMS - 1


def test_a_folder_without_a_readable_frame_is_an_error(rooms: Path, tmp_path: Path) -> None:
    damaged = shutil.copytree(rooms, tmp_path / "rooms")
    for picture in damaged.glob("**/*.jpg"):
        picture.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"no frame of .* could be made"):
        augment(damaged, tmp_path / "d", Options(read_kinds("negative")), jobs=1)


@pytest.mark.parametrize("name", ["", "new"])
def test_a_data_set_is_not_augmented_into_itself(rooms: Path, name: str) -> None:
    with pytest.raises(InputError, match="would become a part of it"):
        augment(rooms, rooms / name, jobs=1)
    assert not (rooms / "augment.json").exists()


def test_pictures_of_a_folder_are_shown(rooms: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "red.png"), np.full((50, 70, 3), (0, 0, 255), np.uint8))
    options = Options(read_kinds("art"), seed=4, pictures=tmp_path / "pictures")
    augment(rooms, tmp_path / "d", options, jobs=1)
    edits = [edit for _, _, about in samples_in(tmp_path / "d") for edit in about["edits"]]
    assert edits and {edit["source"] for edit in edits} == {"red.png"}
    with pytest.raises(InputError, match="of other pictures"):
        augment(rooms, tmp_path / "d", Options(read_kinds("art"), seed=4), jobs=1)


def test_the_recipe_is_json(augmented: Path) -> None:
    assert json.loads((augmented / "augment.json").read_text())["seed"] == SEED
