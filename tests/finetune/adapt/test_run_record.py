"""The record of a fine-tuning: a training goes on only with what it began with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from depthrt.engine.errors import InputError
from depthrt.finetune.adapt.run_record import RECORD_NAME, RunRecord, keep_record, names_sha256

RECORD = RunRecord(
    checkpoint="vits.pth",
    checkpoint_sha256="0" * 64,
    data=("rooms",),
    pairs_sha256="1" * 64,
    mix=(1.0,),
    preset=None,
    batch=2,
    size_px=518,
    clean_share=None,
    variation=0.0,
    whole=False,
)


def test_the_same_record_is_kept_and_the_file_may_have_another_name(tmp_path: Path) -> None:
    keep_record(tmp_path / "new", RECORD)
    before = (tmp_path / "new" / RECORD_NAME).read_bytes()
    keep_record(tmp_path / "new", replace(RECORD, checkpoint="copied.pth"))
    assert (tmp_path / "new" / RECORD_NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"checkpoint_sha256": "2" * 64}, "whose checkpoint_sha256 was 0000"),
        ({"pairs_sha256": "2" * 64}, "whose pairs_sha256 was 1111"),
        ({"size_px": 252}, "whose size_px was 518, 252 was given; give the same, or another folder"),
        ({"preset": "mirror"}, "whose preset was None, mirror was given"),
    ],
)
def test_another_beginning_is_refused(other: dict[str, Any], message: str, tmp_path: Path) -> None:
    keep_record(tmp_path, RECORD)
    with pytest.raises(InputError, match=message):
        keep_record(tmp_path, replace(RECORD, **other))


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is not JSON"), ("{}", "format is null"), ('{"format": 1}', "is missing"), ("[]", "is not a JSON object")],
)
def test_a_damaged_record_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / RECORD_NAME).write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        keep_record(tmp_path, RECORD)
    assert "\n" not in str(caught.value) and "choose another folder" in str(caught.value)


def test_the_order_of_names_counts() -> None:
    assert names_sha256(["a", "b"]) != names_sha256(["b", "a"])
    assert json.loads(json.dumps(names_sha256(["\udcff"])))
