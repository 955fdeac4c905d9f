"""Any checkpoint loads to the weights that went into it, or is refused in one line; no code in it ever runs."""

from __future__ import annotations

import hashlib
import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_cases import FAILS, LOADS
from checkpoint_files import (
    Write,
    hugging_face,
    other,
    plain,
    prefixed,
    safetensors,
    saved,
    sharded,
    upstream_training_file,
    without,
)
from official_state import REAL, TINY, State, hollow, state_of
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.engine.terms import Family, Kind, WhichWeights
from depthrt.export.checkpoint.checkpoint import (
    Checkpoint,
    describe_checkpoint,
    load_network,
    read_checkpoint,
    save_checkpoint,
)

V1: Family = "depth-anything-v1"
V2: Family = "depth-anything-v2"
# Two implementations of one network in float32; the values are of the order of one.
TRANSFORMERS_TOLERANCE = 1e-5


@pytest.fixture(scope="session")
def state() -> State:
    return state_of(TINY)


def read(path: Path, *, max_depth_m: float | None = None, weights: WhichWeights = "auto") -> Checkpoint:
    kind: Kind = "inverse" if max_depth_m is None else "metric"
    return read_checkpoint(path, family=V2, kind=kind, max_depth_m=max_depth_m, weights=weights)


def assert_same(found: Checkpoint, expected: State) -> None:
    assert found.tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found.tensors[name].dtype == torch.float32, name
        assert torch.equal(found.tensors[name], tensor.float()), name


@pytest.mark.parametrize("write", LOADS.values(), ids=LOADS)
def test_a_checkpoint_loads_to_the_weights_that_went_in(write: Write, state: State, tmp_path: Path) -> None:
    assert_same(read(write(tmp_path, state)), state)


@pytest.mark.parametrize(("write", "fragment"), FAILS.values(), ids=FAILS)
def test_a_bad_checkpoint_is_refused_in_one_line(write: Write, fragment: str, state: State, tmp_path: Path) -> None:
    path = write(tmp_path, state)
    with pytest.raises(ModelFileError) as caught:
        read(path)
    message = str(caught.value)
    assert fragment in message
    assert "\n" not in message
    assert message.startswith(str(tmp_path)), "the message begins with the file it is about"
    assert not (tmp_path / "ran").exists(), "code in the file was run"


@pytest.mark.parametrize("seed", range(40))
def test_any_damage_to_a_pth_is_found_or_harmless(seed: int, state: State, tmp_path: Path) -> None:
    chance = random.Random(seed)
    path = saved(upstream_training_file)(tmp_path, state)
    content = bytearray(path.read_bytes())
    # The ends hold the pickle and the zip's tables, where damage does most.
    near = [chance.randrange(len(content)), chance.randrange(9_000), len(content) - 1 - chance.randrange(9_000)]
    place = near[seed % 3]
    if seed % 5 == 0:
        del content[place : place + chance.randrange(1, 3_000)]
    else:
        content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    try:
        found = read(path)
    except ModelFileError as error:
        assert "\n" not in str(error)
    else:
        assert_same(found, state)


def test_bfloat16_is_read_as_float32_and_said(state: State, tmp_path: Path) -> None:
    narrow = {name: tensor.bfloat16() for name, tensor in state.items()}
    found = read(saved(lambda s: narrow)(tmp_path, state))
    assert_same(found, narrow)
    assert "Weights in bfloat16 were converted to float32." in found.remarks


def test_tensors_that_no_network_uses_may_be_missing(state: State, tmp_path: Path) -> None:
    unused = r"mask_token|refinenet4\.resConfUnit1"
    found = read(saved(without(unused))(tmp_path, state))
    assert_same(found, {n: torch.zeros_like(t) if re.search(unused, n) else t for n, t in state.items()})
    assert found.remarks == ("Tensors that the network never uses (5) are not in the file; zeros replace them.",)


@pytest.mark.parametrize(("weights", "raw"), [("auto", True), ("raw", True), ("ema", False)])
def test_the_user_chooses_between_raw_and_averaged_weights(
    weights: WhichWeights, raw: bool, state: State, tmp_path: Path
) -> None:
    path = saved(lambda s: {"model": s, "ema": {"shadow": other(s)}})(tmp_path, state)
    found = read(path, weights=weights)
    assert_same(found, state if raw else other(state))
    assert ("The file also holds averaged (EMA) weights; --weights ema takes them." in found.remarks) == raw


def test_weights_that_are_not_there_cannot_be_chosen(state: State, tmp_path: Path) -> None:
    path = saved(lambda s: {"model": s})(tmp_path, state)
    with pytest.raises(InputError, match=r"--weights ema: .* holds no such weights, only model\."):
        read(path, weights="ema")


def test_an_average_alone_is_taken_and_said(state: State, tmp_path: Path) -> None:
    found = read(LOADS["an average alone"](tmp_path, state))
    assert "They are averaged (EMA) weights, the only ones in the file." in found.remarks


def test_company_that_was_left_out_is_said(state: State, tmp_path: Path) -> None:
    found = read(LOADS["a Lightning file"](tmp_path, state))
    assert found.remarks == (
        "The weights stand under state_dict.model. in the file.",
        "Left out, since only training uses it: state_dict.criterion.weight.",
    )


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


def test_a_gated_encoder_is_read_under_names_of_both_releases(tmp_path: Path) -> None:
    gated = replace(TINY, feed_forward="swiglu", hidden=96)
    state = state_of(gated)
    for number, write in enumerate((saved(plain), hugging_face(), hugging_face(newer=True))):
        (folder := tmp_path / str(number)).mkdir()
        found = read(write(folder, state))
        assert_same(found, state)
        assert found.architecture == gated


def test_the_architecture_is_read_off_the_tensors(state: State, tmp_path: Path) -> None:
    assert read(saved(plain)(tmp_path, state)).architecture == TINY


@pytest.mark.parametrize("encoder", REAL)
def test_the_published_sizes_are_told_apart(encoder: str, tmp_path: Path) -> None:
    path = tmp_path / "unnamed.pth"
    torch.save(hollow(REAL[encoder]), path)
    facts = describe_checkpoint(path)
    assert (facts.architecture, facts.architecture.encoder) == (REAL[encoder], encoder)
    assert (facts.family, facts.kind, facts.source, facts.official_name) == (None, None, "", None)


def test_a_saved_checkpoint_needs_no_options(state: State, tmp_path: Path) -> None:
    network = load_network(read(saved(plain)(tmp_path, state), max_depth_m=12.5))
    path = tmp_path / "tuned.safetensors"
    save_checkpoint(path, network, family=V2, kind="metric", max_depth_m=12.5, licence="MIT", notes={"data": "rooms"})
    found = read_checkpoint(path)
    assert_same(found, state)
    assert (found.family, found.kind, found.max_depth_m, found.licence) == (V2, "metric", 12.5, "MIT")
    assert found.remarks[0] == "The family is depth-anything-v2, after its own record."
    facts = describe_checkpoint(path)
    assert (facts.kind, facts.max_depth_m, facts.source, dict(facts.notes)) == (
        "metric",
        12.5,
        "its own record",
        {"data": "rooms"},
    )
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["tuned.safetensors", "wild.pth"]


def test_a_record_outranks_a_name_and_is_not_overruled(state: State, tmp_path: Path) -> None:
    network = load_network(read(saved(plain)(tmp_path, state)))
    path = tmp_path / "depth_anything_v2_metric_hypersim_vits.safetensors"
    save_checkpoint(path, network, family=V1, kind="inverse", max_depth_m=None)
    found = read_checkpoint(path)
    assert (found.family, found.kind, found.max_depth_m) == (V1, "inverse", None)
    assert describe_checkpoint(path).max_depth_m is None
    with pytest.raises(
        InputError, match="--family depth-anything-v2 contradicts its own record, which says depth-anything-v1"
    ):
        read_checkpoint(path, family=V2)


@pytest.mark.parametrize(
    ("name", "options", "fragment"),
    [
        ("x.pth", {"kind": "inverse", "max_depth_m": None}, "does not end with .safetensors"),
        ("x.safetensors", {"kind": "metric", "max_depth_m": None}, "a metric checkpoint needs max_depth_m"),
        ("x.safetensors", {"kind": "inverse", "max_depth_m": 3.0}, "only metric models have one"),
        ("none/x.safetensors", {"kind": "inverse", "max_depth_m": None}, "does not exist"),
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_written(
    name: str, options: dict[str, Any], fragment: str, state: State, tmp_path: Path
) -> None:
    network = load_network(read(saved(plain)(tmp_path, state)))
    with pytest.raises(InputError) as caught:
        save_checkpoint(tmp_path / name, network, family=V2, **options)
    assert fragment in str(caught.value)
    assert not (tmp_path / name).exists()


def test_the_hash_is_the_files(state: State, tmp_path: Path) -> None:
    path = saved(plain)(tmp_path, state)
    assert read(path).sha256 == describe_checkpoint(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_hash_of_shards_is_over_their_hashes(state: State, tmp_path: Path) -> None:
    folder = sharded()(tmp_path, state)
    hashes = [hashlib.sha256(shard.read_bytes()).hexdigest() for shard in sorted(folder.glob("model-*"))]
    assert read(folder).sha256 == hashlib.sha256("".join(hashes).encode()).hexdigest()


def test_a_description_names_what_is_in_the_file(state: State, tmp_path: Path) -> None:
    half = {name: tensor.half() for name, tensor in state.items()}
    path = saved(lambda s: {"model": prefixed(half, "module."), "ema": other(half), "epoch": 1})(tmp_path, state)
    facts = describe_checkpoint(path)
    assert (facts.file_format, facts.wrapper, facts.others) == ("PyTorch", "model.module.", ("ema.",))
    assert (facts.dtypes, facts.architecture) == (("float16",), TINY)
    assert facts.parameters == sum(tensor.numel() for tensor in state.values())
    assert describe_checkpoint(path, weights="ema").wrapper == "ema."


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads Linux's list of mapped files")
@pytest.mark.parametrize("write", [saved(plain), safetensors()], ids=["pth", "safetensors"])
def test_weights_stay_in_the_file_until_they_are_used(write: Write, state: State, tmp_path: Path) -> None:
    path = write(tmp_path, state)
    found = read(path)
    network = load_network(found)
    assert str(path) in Path("/proc/self/maps").read_text()
    name = "pretrained.norm.weight"
    assert network.get_parameter(name).data_ptr() == found.tensors[name].data_ptr(), "the network shares memory"


@pytest.mark.parametrize("write", [saved(plain), safetensors()], ids=["pth", "safetensors"])
def test_training_a_loaded_network_leaves_its_file_as_it_was(write: Write, state: State, tmp_path: Path) -> None:
    path = write(tmp_path, state)
    before = path.read_bytes()
    network = load_network(read(path))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    assert path.read_bytes() == before
    assert_same(read(path), state)


def test_a_loaded_network_is_ready_to_answer_and_to_train(state: State, tmp_path: Path) -> None:
    network = load_network(read(saved(plain)(tmp_path, state), max_depth_m=20))
    assert not network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    depth = network(torch.zeros(1, 3, 28, 42)).detach()
    assert depth.shape == (1, 28, 42)
    assert 0 < float(depth.min()) <= float(depth.max()) < 20


@contextmanager
def unprivileged() -> Iterator[None]:
    """Drop root's right to read everything for a moment."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # nobody
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_without_permission_is_refused_in_one_line(state: State, tmp_path: Path) -> None:
    path = saved(plain)(tmp_path, state)
    path.chmod(0)
    with unprivileged(), pytest.raises(ModelFileError, match=r"cannot be read: Permission denied$"):
        read(path)
