"""A Hugging Face folder is read with its config.json, which must not contradict the network or the options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_cases import BAD_FOLDERS, assert_refused
from checkpoint_files import Write, sharded
from official_state import TINY, State, folder_with, state_of, tiny_config, to_transformers
from safetensors.torch import load_file as load_safetensors
from safetensors.torch import save_file
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

from depthrt.engine.errors import DepthrtError, ModelFileError
from depthrt.engine.terms import Family
from depthrt.export.checkpoint.checkpoint import load_network, read_checkpoint

V1: Family = "depth-anything-v1"
V2: Family = "depth-anything-v2"
# Two implementations of one network in float32; the values are of the order of one.
TRANSFORMERS_TOLERANCE = 1e-5
V2_OPTIONS = {"family": V2, "kind": "inverse"}
METRIC = {"family": V2, "kind": "metric", "max_depth_m": 10.0}


@pytest.fixture(scope="module")
def state() -> State:
    return state_of(TINY)


@pytest.mark.parametrize(("write", "fragment"), BAD_FOLDERS.values(), ids=BAD_FOLDERS)
def test_a_folder_of_no_whole_model_is_refused_in_one_line(
    write: Write, fragment: str, state: State, tmp_path: Path
) -> None:
    assert_refused(write, fragment, state, tmp_path)


@pytest.mark.parametrize("feed_forward", ["mlp", "swiglu"])
@pytest.mark.parametrize("kind", ["relative", "metric"])
def test_a_folder_that_transformers_wrote_answers_like_transformers(
    feed_forward: str, kind: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    backbone = Dinov2Config(  # type: ignore[call-arg]
        hidden_size=128, num_hidden_layers=8, num_attention_heads=2, mlp_ratio=2, image_size=56, patch_size=14,
        out_indices=[2, 4, 6, 8], reshape_hidden_states=False, use_swiglu_ffn=feed_forward == "swiglu",
    )  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=128, neck_hidden_sizes=[8, 12, 16, 24],
        fusion_hidden_size=16, depth_estimation_type=kind, max_depth=20,
    )  # fmt: skip
    theirs = DepthAnythingForDepthEstimation(config)
    theirs.train(False)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.05)
        theirs.get_parameter("head.conv3.bias").fill_(1)  # above the last ReLU
    theirs.save_pretrained(tmp_path / "saved")
    found = read_checkpoint(tmp_path / "saved")
    assert (found.family, found.kind) == (V2, "metric" if kind == "metric" else "inverse")
    assert found.max_depth_m == (20.0 if kind == "metric" else None)
    scaled = "config.json multiplies the inverse depth by 20; the last convolution does that now."
    assert (scaled in found.remarks) == (kind == "relative")
    batch = torch.randn(2, 3, 56, 56)  # the table's own grid, where transformers does not resample it otherwise
    with torch.no_grad():
        answer, expected = load_network(found)(batch), theirs(batch).predicted_depth
    assert expected.std() > 1e-3, "a constant answer proves nothing"
    assert torch.allclose(answer, expected, atol=TRANSFORMERS_TOLERANCE * float(expected.abs().max()))


CONFIGS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "an option against the kind": (tiny_config(), METRIC, "--kind metric contradicts config.json, which says inverse"),
    "an option against the maximum": (
        tiny_config(depth_estimation_type="metric", max_depth=80),
        METRIC,
        "--max-depth 10 m contradicts config.json, which says 80 m",
    ),
    "a maximum for an inverse model": (
        tiny_config(),
        {"family": V2, "max_depth_m": 10.0},
        "is an inverse model after config.json",
    ),
    "metric without a maximum": (
        tiny_config(depth_estimation_type="metric"),
        {"family": V2},
        "give --max-depth METRES",
    ),
    "more heads": (
        tiny_config(backbone={"num_attention_heads": 2}),
        V2_OPTIONS,
        "num_attention_heads is 2, this version exports 1 only",
    ),
    "another epsilon": (
        tiny_config(backbone={"layer_norm_eps": 1e-5}),
        V2_OPTIONS,
        "layer_norm_eps is 1e-05, this version exports 1e-06",
    ),
    "other factors": (tiny_config(reassemble_factors=[4, 2, 1, 1]), V2_OPTIONS, "reassemble_factors is [4, 2, 1, 1]"),
    "another encoder": (
        tiny_config(backbone={"model_type": "swin"}),
        V2_OPTIONS,
        "model_type is 'swin', this version exports 'dinov2'",
    ),
    "other blocks": (
        tiny_config(backbone={"out_indices": [1, 2, 2, 4]}),
        V2_OPTIONS,
        "feeds the head from [1, 2, 2, 4], expected [1, 2, 3, 4]",
    ),
}


@pytest.mark.parametrize(("config", "options", "fragment"), CONFIGS.values(), ids=CONFIGS)
def test_a_config_that_contradicts_is_an_error(
    config: dict[str, Any], options: dict[str, Any], fragment: str, state: State, tmp_path: Path
) -> None:
    folder = folder_with(tmp_path / "x", config)
    save_file(to_transformers(state), folder / "model.safetensors")
    with pytest.raises(DepthrtError) as caught:
        read_checkpoint(folder, **options)
    assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("out_indices", "family"), [([2, 4, 6, 8], V2), ([5, 6, 7, 8], V1)])
def test_the_blocks_in_a_config_tell_v1_from_v2(out_indices: list[int], family: str, tmp_path: Path) -> None:
    eight = replace(TINY, depth=8)
    folder = folder_with(tmp_path / "x", tiny_config(backbone={"out_indices": out_indices}))
    save_file(to_transformers(state_of(eight)), folder / "model.safetensors")
    assert read_checkpoint(folder).family == family


def test_a_folder_whose_preprocessor_normalises_otherwise_is_refused(state: State, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "x", tiny_config())
    save_file(to_transformers(state), folder / "model.safetensors")
    (folder / "preprocessor_config.json").write_text('{"image_mean": [0.5, 0.5, 0.5]}')
    with pytest.raises(ModelFileError, match=r"preprocessor_config\.json: image_mean is \[0.5, 0.5, 0.5\], this"):
        read_checkpoint(folder, family=V2, kind="inverse")


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("{}", "weight_map is missing, expected an object of tensor names and files; correct it"),
        ('{"weight_map": {}}', "weight_map is {}, expected an object"),
        ('{"weight_map": ["a"]}', "weight_map is ['a'], expected an object"),
        ('{"weight_map": {"a": 3}}', "weight_map of a is 3, expected a file name"),
        ('{"weight_map": {"a": null}}', "weight_map of a is None, expected a file name"),
        ('{"weight_map": {"a": "/etc/passwd"}}', "names a file outside its folder, /etc/passwd; do not use it"),
        ('{"weight_map": {"a": ".."}}', "names 1 shards and 1 are missing, e.g. .."),
        ('{"weight_map": {"a": ""}}', "names 1 shards and 1 are missing"),
        ('{"weight_map": {"a": "b.safetensors", "a": "c"}}', "a key stands twice in an object"),
        ('{"weight_map": NaN}', "NaN is not a JSON number"),
    ],
)
def test_a_bad_index_is_refused_in_one_line(index: str, message: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "x", tiny_config())
    path = folder / "model.safetensors.index.json"
    path.write_text(index)
    with pytest.raises(ModelFileError) as caught:
        read_checkpoint(folder, family=V2, kind="inverse")
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_tensor_in_two_shards_is_refused(state: State, tmp_path: Path) -> None:
    def copy_a_tensor(folder: Path) -> None:
        first, second = (load_safetensors(folder / f"model-0000{number}-of-00003.safetensors") for number in (1, 2))
        name = sorted(first)[0]
        save_file(second | {name: first[name]}, folder / "model-00002-of-00003.safetensors")

    folder = sharded(copy_a_tensor)(tmp_path, state)
    with pytest.raises(
        ModelFileError, match=r"00002-of-00003\.safetensors holds backbone\.embeddings\.\w+, as another"
    ):
        read_checkpoint(folder, family=V2, kind="inverse")


# Each header opens a file of 8 bytes of zeros as its tensors.
@pytest.mark.parametrize(
    "header",
    [
        "[]",
        '{"a": 3}',
        '{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "a": {}}',
        '{"a": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}}',
        '{"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}',
        '{"a": {"dtype": "F32", "shape": [2.5], "data_offsets": [0, 8]}}',
        '{"a": {"dtype": "F32", "shape": [4294967296, 4294967296, 2], "data_offsets": [0, 8]}}',
        '{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 80]}}',
        '{"a": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 8]}}',
        '{"__metadata__": {"a": 3}, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}',
        '{"__metadata__": [], "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}',
        '{"a": ' + "[" * 5000 + "]" * 5000 + "}",
    ],
)
def test_a_bad_safetensors_header_is_refused_in_one_line(header: str, tmp_path: Path) -> None:
    path = tmp_path / "wild.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(8))
    with pytest.raises(ModelFileError) as caught:
        read_checkpoint(path, family=V2, kind="inverse")
    assert str(caught.value).startswith(f"{path} is ") and "\n" not in str(caught.value)
