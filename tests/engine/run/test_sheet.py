"""Photographs above their depth on one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.cli import main
from depthrt.engine.depth.depth import Depth
from depthrt.engine.depth.provenance import Provenance, Timings
from depthrt.engine.errors import InputError
from depthrt.engine.run import sheet as sheet_module
from depthrt.engine.run.jobs import Job, Style, make_jobs
from depthrt.engine.run.sheet import CELL_H_PX, GAP_PX, LABEL_H_PX, ROW_W_PX, Sheet, check_sheet
from depthrt.engine.run.sources import find_sources

ROW_H_PX = 2 * CELL_H_PX + LABEL_H_PX
ROUNDING = 1  # of one 8-bit step, by the resize


def depth_of(values: np.ndarray, model: depthrt.DepthModel) -> Depth:
    height, width = values.shape
    provenance = model.infer(np.zeros((height, width, 3), np.uint8)).provenance
    assert isinstance(provenance, Provenance) and isinstance(provenance.timings, Timings)
    return Depth(values, "inverse", np.ones_like(values, bool), provenance, None)


def test_a_photograph_stands_above_its_depth_at_one_height(model: depthrt.DepthModel) -> None:
    image = np.full((120, 60, 3), (10, 120, 240), np.uint8)
    depth = depth_of(np.tile(np.linspace(1, 2, 60, dtype=np.float32), (120, 1)), model)
    sheet = Sheet()
    sheet.add(image, depth, "a.jpg")
    picture = sheet.picture()
    assert picture.shape == (2 * CELL_H_PX + LABEL_H_PX, CELL_H_PX // 2, 3)
    assert np.abs(picture[:CELL_H_PX].astype(int) - (10, 120, 240)).max() <= ROUNDING
    assert np.abs(picture[CELL_H_PX:-LABEL_H_PX, 0].astype(int) - depth.colorize()[0, 0]).max() <= ROUNDING


def test_rows_break_before_they_are_too_wide_and_keep_the_order(model: depthrt.DepthModel) -> None:
    depth = depth_of(np.ones((CELL_H_PX, 500), np.float32), model)
    sheet = Sheet()
    for grey in (10, 20, 30, 40):
        sheet.add(np.full((CELL_H_PX, 500, 3), grey, np.uint8), depth, "a.jpg")
    picture = sheet.picture()
    assert picture.shape == (2 * ROW_H_PX + GAP_PX, 3 * 500 + 2 * GAP_PX, 3)
    assert picture.shape[1] <= ROW_W_PX
    assert [picture[5, column, 0] for column in (5, 513, 1021)] == [10, 20, 30]
    below = ROW_H_PX + GAP_PX + 5
    assert (picture[below, 5, 0], picture[below, 1021, 0]) == (40, 255)


def test_images_beyond_the_last_row_are_counted_and_not_held(
    model: depthrt.DepthModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_module, "MOST_ROWS", 2)
    monkeypatch.setattr(sheet_module, "ROW_W_PX", CELL_H_PX)
    depth = depth_of(np.ones((8, 8), np.float32), model)
    sheet = Sheet()
    for _ in range(5):
        sheet.add(np.zeros((8, 8, 3), np.uint8), depth, "a.jpg")
    assert sheet.left_out == 3
    assert sheet.picture().shape[:2] == (2 * ROW_H_PX + GAP_PX, CELL_H_PX)


def test_no_image_after_the_first_that_was_left_out_is_on_the_sheet(
    model: depthrt.DepthModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_module, "MOST_ROWS", 1)
    sheet = Sheet()
    for width in (800, 1000, 200):
        sheet.add(
            np.zeros((CELL_H_PX, width, 3), np.uint8), depth_of(np.ones((CELL_H_PX, width), np.float32), model), "a.jpg"
        )
    assert (len(sheet), sheet.left_out) == (1, 2)


def test_a_sheet_of_any_images_fits_every_format(model: depthrt.DepthModel, tmp_path: Path) -> None:
    sheet = Sheet()
    for height, width in [(10, 80)] * (sheet_module.MOST_ROWS // 2) + [(100, 500)] * 60:
        sheet.add(
            np.zeros((height, width, 3), np.uint8), depth_of(np.ones((height, width), np.float32), model), "a.jpg"
        )
    assert sheet.picture().shape[1] == ROW_W_PX and sheet.left_out > 0
    assert sheet._rows[0][0].shape == (2 * ROW_W_PX // 8 + LABEL_H_PX, ROW_W_PX, 3)
    tall = Sheet()
    for _ in range(sheet_module.MOST_ROWS):
        tall.add(np.zeros((240, 1000, 3), np.uint8), depth_of(np.ones((240, 1000), np.float32), model), "a.jpg")
    tall.save(tmp_path / "sheet.webp")
    assert tall.picture().shape[0] > 15_000


def test_the_name_of_each_photograph_stands_below_it(model: depthrt.DepthModel) -> None:
    def labels(*names: str) -> list[np.ndarray]:
        sheet = Sheet()
        depth = depth_of(np.ones((CELL_H_PX, 300), np.float32), model)
        for name in names:
            sheet.add(np.zeros((CELL_H_PX, 300, 3), np.uint8), depth, name)
        picture = sheet.picture()[-LABEL_H_PX:]
        return [picture[:, start : start + 300] for start in range(0, picture.shape[1], 300 + GAP_PX)]

    first, second, none, long, longer = labels("a.jpg", "b.jpg", "", "x" * 200 + "1.jpg", "x" * 300 + "2.jpg")
    assert (none == 255).all()
    for label in (first, second, long, longer):
        assert label.shape == (LABEL_H_PX, 300, 3) and label.min() < 64
        assert (label[0] == 255).all() and (label[-1] == 255).all()  # nothing is cut off
    assert (first != second).any() and (long != longer).any()  # the end of a name is kept
    assert (first[:, 60:] == 255).all() and (long[:, 250:] != 255).any()
    (bell, mark) = labels("a\x07b.jpg", "a?b.jpg")
    assert (bell == mark).all()


def test_an_empty_sheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a sheet without images cannot be made; give at least one"):
        Sheet().save(tmp_path / "sheet.jpg")
    assert not (tmp_path / "sheet.jpg").exists()


def test_run_writes_a_sheet_of_all_photographs(tiny: TinyModel, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    arguments = ["run", str(PHOTOS), "-m", str(tiny.onnx), "-o", str(tmp_path / "depth"), "--sheet", str(sheet)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert f"sheet: {sheet}" in result.stderr
    assert len(result.stdout.splitlines()) == 4
    photos = [depthrt.read_image(path) for path in sorted(PHOTOS.glob("*.jpg"))]
    widths = [round(photo.shape[1] * CELL_H_PX / photo.shape[0]) for photo in photos]
    assert depthrt.read_image(sheet).shape == (ROW_H_PX, sum(widths) + 3 * GAP_PX, 3)


def test_a_sheet_is_painted_in_its_style(model: depthrt.DepthModel) -> None:
    sheet = Sheet(Style("gray", (0.0, 4.0)))
    sheet.add(np.zeros((CELL_H_PX, 90, 3), np.uint8), depth_of(np.ones((CELL_H_PX, 90), np.float32), model), "a.jpg")
    assert (sheet.picture()[CELL_H_PX:-LABEL_H_PX] == 63).all()  # a quarter of the way up


def jobs_of(folder: Path, *names: str) -> list[Job]:
    for name in names:
        (folder / name).write_bytes(b"")
    return make_jobs(find_sources([str(folder / name) for name in names]), folder / "out", ("color",))


@pytest.mark.parametrize(
    ("names", "sheet", "message"),
    [
        (["a.jpg"], "s.gif", r"suffix '\.gif' found, a sheet expects one of \.jpg, \.jpeg, \.png"),
        (["a.mp4"], "s.png", r"s\.png would be a sheet without images; give an image, or leave --sheet out"),
        (["a.jpg"], "a.jpg", r"a\.jpg would be replaced by the sheet; give another place with --sheet"),
        (["a.jpg"], "out/a.png", r"a\.png would hold both a depth and the sheet; give another place with --sheet"),
        (["a.jpg"], "x/../out/a.png", r"a\.png would hold both a depth and the sheet"),
    ],
)
def test_a_place_that_does_not_fit_is_refused(tmp_path: Path, names: list[str], sheet: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_sheet(tmp_path / sheet, jobs_of(tmp_path, *names))


def test_a_place_of_its_own_is_taken(tmp_path: Path) -> None:
    check_sheet(tmp_path / "s.PNG", jobs_of(tmp_path, "a.jpg", "b.mp4"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "b.mp4"]
