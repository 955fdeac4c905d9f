"""The record in a safetensors header comes back as it was written, and is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from official_state import TINY, state_of
from safetensors.torch import save_file

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.engine.terms import Family
from depthrt.export.checkpoint.checkpoint import read_checkpoint
from depthrt.export.checkpoint.metadata import read_claim, read_notes, write_metadata
from depthrt.export.families.claim import Claim

V1: Family = "depth-anything-v1"
V2: Family = "depth-anything-v2"
FILE = Path("tuned.safetensors")
GOOD = {"format": "1", "family": V2, "kind": "metric", "max_depth_m": "20.0", "licence": "MIT"}


def prefixed(record: dict[str, str]) -> dict[str, str]:
    return {f"depthrt.{key}": text for key, text in record.items()}


@pytest.mark.parametrize(
    "claim",
    [
        Claim("its own record", V2, "metric", 20.0, "CC-BY-NC-4.0"),
        Claim("its own record", V2, "metric", 1e-3, None),
        Claim("its own record", V1, "inverse", None, "unknown"),
        Claim("its own record", "depthrt", "inverse"),
    ],
)
def test_a_record_and_its_notes_come_back_as_they_were(claim: Claim) -> None:
    notes = {"data": "rooms", "best": "abs_rel 0.1\nafter 3 epochs", "depthrt.family": "a name is free"}
    metadata = write_metadata(claim, notes)
    assert read_claim(metadata, FILE) == claim
    assert read_notes(metadata) == notes
    assert all(isinstance(text, str) for text in metadata.values())


def test_a_header_without_a_record_says_nothing() -> None:
    assert read_claim({"format": "pt", "note": "by somebody"}, FILE) is None
    assert read_notes({"format": "pt"}) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "2"}, "record.format is 2, this depthrt reads 1"),
        ({"format": "one"}, "record.format is 'one', this depthrt reads 1"),
        ({"format": None}, "record.format is null, this depthrt reads 1"),
        ({"family": None}, "record.family is missing"),
        ({"kind": None}, "record.kind is missing"),
        ({"max_depth_m": None}, "record.max_depth_m is missing, expected metres for kind metric"),
        ({"kind": "inverse"}, "record.max_depth_m is 20, expected none for kind inverse"),
        ({"kind": "relative"}, "record.kind is 'relative', expected one of inverse, metric"),
        (
            {"family": "monodepth"},
            "record.family is 'monodepth', expected one of depth-anything-v1, depth-anything-v2, depth-anything-3",
        ),
        ({"family": V1}, "record.kind is metric, expected inverse for family depth-anything-v1"),
        ({"family": "depthrt"}, "record.kind is metric, expected inverse for family depthrt"),
        ({"mood": "good"}, "record.mood is an unknown key"),
        ({"max_depth_m": "-3"}, "record.max_depth_m is -3.0, expected a finite number above 0"),
        ({"max_depth_m": "0"}, "record.max_depth_m is 0.0, expected a finite number above 0"),
        ({"max_depth_m": "nan"}, "record.max_depth_m is 'nan', expected a finite number above 0"),
        ({"max_depth_m": "1e999"}, "record.max_depth_m is inf, expected a finite number above 0"),
        ({"max_depth_m": "2_0"}, "record.max_depth_m is '2_0', expected a finite number above 0"),
        (
            {"licence": "MIT\nNever"},
            "record.licence is 'MIT\\nNever', expected text of 0 to 10000 printable characters",
        ),
    ],
)
def test_a_damaged_record_is_refused_in_one_line(changes: dict[str, str | None], message: str, tmp_path: Path) -> None:
    record = {key: text for key, text in (GOOD | changes).items() if text is not None}
    path = tmp_path / "tuned.safetensors"
    save_file(state_of(TINY), path, metadata=prefixed(record))
    with pytest.raises(ModelFileError) as caught:
        read_checkpoint(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert str(caught.value).endswith("; save it again") and "\n" not in str(caught.value)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(key=st.sampled_from(sorted(GOOD)) | st.text(max_size=12), text=st.text(max_size=30))
def test_any_text_in_a_record_is_refused_in_one_line_or_legal(key: str, text: str) -> None:
    try:
        claim = read_claim(prefixed(GOOD | {key: text}), FILE)
    except ModelFileError as error:
        assert "\n" not in str(error) and "record." in str(error)
    else:
        assert key in ("licence", *GOOD) or key.startswith("note.")
        assert claim is not None and None not in (claim.family, claim.kind)
        assert (claim.kind == "metric") == (claim.max_depth_m is not None)


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (Claim("", V2, "metric", None), "a metric checkpoint needs max_depth_m; give the metres"),
        (Claim("", V2, "inverse", 3.0), "only metric models have one"),
        (Claim("", V1, "metric", 3.0), "the metric models of V1 are ZoeDepth networks"),
        (Claim("", "depthrt", "metric", 3.0), "its networks answer inverse depth"),
        (Claim("", V2, "inverse", None, "a\nb"), r"record.licence is 'a\nb', expected text of 0 to 10000 printable"),
    ],
)
def test_a_record_that_could_not_be_read_back_is_not_written(claim: Claim, message: str) -> None:
    with pytest.raises(InputError) as caught:
        write_metadata(claim, {})
    assert message in str(caught.value) and "\n" not in str(caught.value)
