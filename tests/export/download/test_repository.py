"""A repository of the hub that holds ONNX files: they are listed, and one comes with what lies beside it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from published_files import COMMIT, Publisher

from depthrt import FetchError, InputError
from depthrt.export.download.repository import OnnxFile, fetch_onnx, list_onnx, repository_in

REPOSITORY, BARE = "onnx-community/depth-anything-v2-large", "somebody/depth-files"
DATA = bytes(500)
SETTINGS = {"config.json": b"{}", "preprocessor_config.json": b'{"size": 518}'}


def onnx_bytes(*locations: str) -> bytes:
    """Return an ONNX file whose weights lie in other files."""
    weights = []
    for number, location in enumerate(locations):
        weight = numpy_helper.from_array(np.zeros(3, np.float32), f"w{number}")
        if location:
            weight.ClearField("raw_data")
            weight.data_location = TensorProto.EXTERNAL
            weight.external_data.add(key="location", value=location)
        weights.append(weight)
    output = helper.make_tensor_value_info("w0", TensorProto.FLOAT, [3])
    return bytes(helper.make_model(helper.make_graph([], "graph", [], [output], weights)).SerializeToString())


PLAIN, SPLIT = onnx_bytes(""), onnx_bytes("model.onnx_data", "layer.7.weight")


@pytest.fixture(autouse=True)
def _published(publisher: Publisher) -> None:
    publisher.models[REPOSITORY] = {
        **SETTINGS,
        "README.md": b"#",
        "onnx/model.onnx": SPLIT,
        "onnx/model.onnx_data": DATA,
        "onnx/layer.7.weight": DATA[::2],
        "onnx/model_q4f16.onnx": PLAIN,
        "onnx/model_quantized.onnx": PLAIN,
    }
    publisher.cards[REPOSITORY] = {"license": "apache-2.0", "base_model": "depth-anything/Depth-Anything-V2-Large"}
    publisher.models[BARE] = {"depth_vits.onnx": PLAIN, "small/depth_fp16.onnx": PLAIN, "big/depth_fp16.onnx": PLAIN}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (REPOSITORY, REPOSITORY),
        (f"https://huggingface.co/{REPOSITORY}/", REPOSITORY),
        ("onnx-community/depth-anything-v2-small", "onnx-community/depth-anything-v2-small"),
        ("depth-anything/Depth-Anything-V2-Small", None),
        ("depth-anything/depth-anything-v2-small", None),
        ("depth-anything-v2-vits", None),
        ("checkpoints/deep/model", None),
        ("../model", None),
    ],
)
def test_a_repository_is_one_that_the_catalog_does_not_know(name: str, found: str | None) -> None:
    assert repository_in(name) == found


def test_the_list_has_sizes_and_precisions_and_nothing_is_downloaded(publisher: Publisher, tmp_path: Path) -> None:
    found = list_onnx(REPOSITORY)
    assert found.files == (
        OnnxFile("onnx/model.onnx", len(SPLIT) + len(DATA), "fp32", ("onnx/model.onnx_data",)),
        OnnxFile("onnx/model_q4f16.onnx", len(PLAIN), "4-bit, fp16", ()),
        OnnxFile("onnx/model_quantized.onnx", len(PLAIN), "8-bit", ()),
    )
    assert (found.commit, set(found.settings)) == (COMMIT, set(SETTINGS))
    assert [asked.path for asked in publisher.asked] == [f"/api/models/{REPOSITORY}/revision/main"]
    assert not (tmp_path / "hub").exists()
    assert [file.precision for file in list_onnx(BARE).files] == ["fp16", "", "fp16"]


def test_the_licence_is_the_cards_or_a_stricter_one_of_the_base_model(publisher: Publisher) -> None:
    strict = list_onnx(REPOSITORY)
    assert (strict.licence, strict.licence_from) == ("CC-BY-NC-4.0", "depth-anything/Depth-Anything-V2-Large")
    assert strict.licence_line.endswith("the licence of its base model depth-anything/Depth-Anything-V2-Large")
    assert (list_onnx(BARE).licence, list_onnx(BARE).licence_from) == ("unknown", "")
    assert list_onnx(BARE).licence_line.startswith("no licence stated")
    publisher.cards[BARE] = {"license": "mit", "base_model": ["depth-anything/Depth-Anything-V2-Small"]}
    assert (list_onnx(BARE).licence, list_onnx(BARE).licence_from) == ("MIT", BARE)
    publisher.cards[BARE] = {"base_model": ["x/y", "depth-anything/Depth-Anything-V2-Small"]}
    assert list_onnx(BARE).licence_from == "depth-anything/Depth-Anything-V2-Small"
    publisher.cards[BARE] = {"license": "other", "license_name": "my-own\n-licence"}
    assert list_onnx(BARE).licence_line == "my-own -licence"


def test_a_file_comes_with_its_weights_and_its_settings(publisher: Publisher, tmp_path: Path) -> None:
    notes: list[str] = []
    path = fetch_onnx(REPOSITORY, "onnx/model.onnx", accept_licence=True, on_note=notes.append)
    root = tmp_path / f"hub/models--onnx-community--depth-anything-v2-large/snapshots/{COMMIT}"
    assert path == root / "onnx/model.onnx" and onnx.load(path, load_external_data=False).graph.name == "graph"
    files = {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()}
    assert files == {
        **SETTINGS,
        "onnx/model.onnx": SPLIT,
        "onnx/model.onnx_data": DATA,
        "onnx/layer.7.weight": DATA[::2],
    }
    assert notes == [f"{REPOSITORY}: {list_onnx(REPOSITORY).licence_line}"]
    publisher.asked.clear()
    assert fetch_onnx(REPOSITORY, "model.onnx") == path
    assert not [asked for asked in publisher.asked if asked.host.startswith("localhost")], "bytes came again"


def test_a_folder_gets_the_file_in_the_layout_of_its_repository(tmp_path: Path) -> None:
    path = fetch_onnx(BARE, "depth_vits.onnx", tmp_path / "here")
    assert path == tmp_path / "here/depth-files/depth_vits.onnx" and path.read_bytes() == PLAIN
    assert [file.name for file in path.parent.iterdir()] == ["depth_vits.onnx"]
    deep = fetch_onnx(REPOSITORY, "model_q4f16.onnx", tmp_path / "here", accept_licence=True)
    root = tmp_path / "here/depth-anything-v2-large"
    assert sorted(PurePosixPath(file.relative_to(root)) for file in root.rglob("*.*")) == sorted(
        map(PurePosixPath, (*SETTINGS, deep.relative_to(root).as_posix()))
    )


def test_a_restricted_licence_is_accepted_once_and_before_any_bytes(publisher: Publisher) -> None:
    with pytest.raises(InputError, match=r"CC-BY-NC-4\.0 .no commercial use.*--accept-licence once"):
        fetch_onnx(REPOSITORY, "model.onnx")
    assert [asked.path for asked in publisher.asked] == [f"/api/models/{REPOSITORY}/revision/main"]
    fetch_onnx(REPOSITORY, "model.onnx", accept_licence=True)
    fetch_onnx(REPOSITORY, "model_quantized.onnx")


@pytest.mark.parametrize(
    ("repository", "file", "said"),
    [
        (BARE, "depth_fp16.onnx", "holds 2 files depth_fp16.onnx; give --file big/depth_fp16.onnx, or one of: big/"),
        (BARE, "depth_vitl.onnx", "holds no depth_vitl.onnx; give --file depth_vits.onnx, or one of: big/depth_fp16"),
        (BARE, "README.md", r"holds no README\.md; give --file .*\.onnx, or one of: "),
    ],
)
def test_a_file_that_is_not_meant_clearly_is_one_line(repository: str, file: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        fetch_onnx(repository, file)


def test_a_repository_without_onnx_files_and_one_that_is_not_there_are_one_line(publisher: Publisher) -> None:
    publisher.models["somebody/weights"] = {"model.safetensors": DATA, "README.md": b"#"}
    with pytest.raises(InputError, match=r"somebody/weights holds no \.onnx file, only \.md, \.safetensors; give"):
        list_onnx("somebody/weights")
    with pytest.raises(FetchError, match=r"huggingface\.co/somebody/nothing: "):
        list_onnx("somebody/nothing")


def test_without_a_connection_the_hubs_cache_is_asked(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fetch_onnx(REPOSITORY, "onnx/model_quantized.onnx", accept_licence=True)
    publisher.asked.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fetch_onnx(REPOSITORY, "onnx/model_quantized.onnx") == path
    assert fetch_onnx(REPOSITORY, "model_quantized.onnx") == path
    with pytest.raises(FetchError, match=r"model_fp16\.onnx of onnx-community/.* is not on this machine, and HF_"):
        fetch_onnx(REPOSITORY, "model_fp16.onnx")
    with pytest.raises(InputError, match=r"HF_HUB_OFFLINE is set, so nothing is copied to here; take .*\.onnx"):
        fetch_onnx(REPOSITORY, "model_quantized.onnx", Path("here"))
    assert publisher.asked == []


def test_bytes_that_are_not_the_hubs_leave_no_file(publisher: Publisher, tmp_path: Path) -> None:
    publisher.changed = DATA
    with pytest.raises(FetchError, match=r"bytes, expected|came with the hash"):
        fetch_onnx(BARE, "depth_vits.onnx", tmp_path / "here")
    assert not list((tmp_path / "here").rglob("*.onnx"))
