"""MiDaS is known by its tensors, and its hybrid by its name only, since other models hold the same tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_cases import assert_holds
from made_families import MIDAS, official_midas, tiny_midas
from official_state import REAL, TINY, hollow, state_of
from random_midas import TINY_HYBRID

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint
from depthrt.export.families.midas import MidasArchitecture, MidasRules
from depthrt.export.families.rules import HALF, IMAGENET_MEAN
from depthrt.export.families.table import rules_of, rules_of_tensors
from depthrt.export.network.midas.architecture import PUBLISHED as TRANSFORMERS
from depthrt.export.network.midas.swin.architecture import PUBLISHED as SWIN
from depthrt.export.network.midas.v21.architecture import PUBLISHED_LARGE, PUBLISHED_SMALL

RULES = MidasRules()
PUBLISHED: dict[str, MidasArchitecture] = {
    **TRANSFORMERS,
    **SWIN,
    "midas_v21_384": PUBLISHED_LARGE,
    "midas_v21_small_256": PUBLISHED_SMALL,
}


def hollow_midas(name: str) -> dict[str, torch.Tensor]:
    """Return a published network's tensors, which share one number each."""
    return {key: torch.zeros(1).expand(shape) for key, shape in RULES.expected_shapes(PUBLISHED[name]).items()}


@pytest.mark.parametrize("encoder", MIDAS)
def test_an_official_file_is_read_whole_without_what_the_network_lacks(encoder: str, tmp_path: Path) -> None:
    torch.save({"optimizer": {"state": {}}, "model": official_midas(encoder)}, tmp_path / "mine.pt")
    found = read_checkpoint(tmp_path / "mine.pt", kind="inverse" if encoder == "hybrid" else None)
    network = tiny_midas(encoder)
    assert (found.family, found.kind, found.max_depth_m, found.licence) == ("midas", "inverse", None, "unknown")
    assert found.architecture == network.architecture
    assert_holds(found, dict(network.state_dict()))
    assert not any(tensor.is_meta for tensor in load_network(found).state_dict().values())


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_file_is_known_by_its_name_and_the_sizes_of_its_tensors(name: str, tmp_path: Path) -> None:
    torch.save(hollow_midas(name), tmp_path / f"{name}.pt")
    found = describe_checkpoint(tmp_path / f"{name}.pt")
    assert (found.architecture, found.official_name, found.family) == (PUBLISHED[name], name, "midas")
    assert (found.kind, found.licence) == ("inverse", "MIT")


@pytest.mark.parametrize(
    ("old", "name"),
    [
        ("dpt_hybrid-midas-501f0c75.pt", "dpt_hybrid_384"),
        ("dpt_large-midas-2f21e586.pt", "dpt_large_384"),
        ("midas_v21-f6b98070.pt", "midas_v21_384"),
        ("midas_v21_small-70d6b9c8.pt", "midas_v21_small_256"),
    ],
)
def test_a_name_of_an_older_release_is_known(old: str, name: str, tmp_path: Path) -> None:
    torch.save({"model": hollow_midas(name)}, tmp_path / old)
    found = read_checkpoint(tmp_path / old)
    assert (found.family, found.kind, found.licence, found.architecture.encoder) == ("midas", "inverse", "MIT", name)


@pytest.mark.parametrize("name", ["dpt_hybrid_nyu-2ce69ec7.pt", "omnidata_dpt_depth_v2.ckpt", "mine.pt"])
@pytest.mark.parametrize("options", [{}, {"family": "midas"}])
def test_a_hybrid_whose_name_does_not_say_that_it_is_midas_is_never_exported_on_a_guess(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    torch.save(official_midas("hybrid"), path := tmp_path / name)
    with pytest.raises(InputError) as caught:
        read_checkpoint(path, **options)
    message = str(caught.value)
    assert "isl-org/DPT's models for NYU and KITTI and of omnidata's" in message and "\n" not in message
    assert message.endswith("give --kind inverse")
    found = read_checkpoint(path, family="midas", kind="inverse")
    assert (found.architecture, found.kind, found.licence) == (TINY_HYBRID, "inverse", "unknown")


def test_a_family_that_the_tensors_are_not_of_is_refused_by_the_name_of_theirs(tmp_path: Path) -> None:
    torch.save(official_midas("beit"), midas := tmp_path / "midas.pt")
    torch.save(state_of(TINY), depth_anything := tmp_path / "anything.pth")
    with pytest.raises(
        InputError, match=r"--family depth-anything-v2 found, its tensors are those of MiDaS \(beit128x4-96\)"
    ):
        read_checkpoint(midas, family="depth-anything-v2", kind="inverse")
    with pytest.raises(InputError, match=r"--family midas found, its tensors are those of Depth Anything \(vit64x4\)"):
        read_checkpoint(depth_anything, family="midas", kind="inverse")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "metric", "max_depth_m": 10.0}, "--kind metric contradicts its tensors, which says inverse"),
        ({"max_depth_m": 10.0}, "is an inverse model after its tensors"),
        ({"family": "midas", "kind": "metric"}, "--family midas with --kind metric: its networks answer inverse depth"),
    ],
)
def test_metres_are_not_to_be_had_from_midas(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    torch.save(official_midas("vit"), path := tmp_path / "midas.pt")
    with pytest.raises(InputError, match=message):
        read_checkpoint(path, **options)


@pytest.mark.parametrize("encoder", MIDAS)
def test_a_file_that_lost_tensors_is_refused_by_their_names(encoder: str, tmp_path: Path) -> None:
    state = {name: t for name, t in official_midas(encoder).items() if "refinenet2.out_conv" not in name}
    if encoder == "large":  # its fusions have none
        state = {name: t for name, t in official_midas(encoder).items() if "refinenet2.resConfUnit1.conv2" not in name}
    torch.save(state, tmp_path / "cut.pt")
    with pytest.raises(ModelFileError, match=r"is not a whole MiDaS model: it lacks 2 of \d+ tensors: scratch\.refi"):
        read_checkpoint(tmp_path / "cut.pt", kind="inverse")


def test_the_encoder_only_is_refused_as_such(tmp_path: Path) -> None:
    torch.save({n: t for n, t in official_midas("vit").items() if n.startswith("pretrained")}, tmp_path / "half.pt")
    with pytest.raises(ModelFileError, match="holds only the encoder, without scratch; this version exports Depth"):
        read_checkpoint(tmp_path / "half.pt")


def test_a_name_of_another_encoder_is_not_used(tmp_path: Path) -> None:
    torch.save(hollow_midas("dpt_large_384"), path := tmp_path / "dpt_beit_large_512.pt")
    found = read_checkpoint(path)
    assert (found.architecture.encoder, found.licence) == ("dpt_large_384", "unknown")
    assert "The name means dpt_beit_large_512, the tensors are dpt_large_384: the name was not used." in found.remarks
    torch.save(hollow_midas("dpt_hybrid_384"), path)
    with pytest.raises(ModelFileError, match="which is dpt_beit_large_512, but its tensors are dpt_hybrid_384; give"):
        read_checkpoint(path)


def test_depth_anything_is_not_taken_for_midas() -> None:
    assert rules_of_tensors(hollow(REAL["vits"])) is rules_of("depth-anything-v2")
    assert all(rules_of_tensors(official_midas(encoder)) is rules_of("midas") for encoder in MIDAS)


# Source: isl-org/MiDaS midas/model_loader.py
@pytest.mark.parametrize(
    ("name", "side", "rule", "mean"),
    [
        ("dpt_beit_large_512", 512, "minimal", HALF),
        ("dpt_beit_base_384", 384, "minimal", HALF),
        ("dpt_large_384", 384, "minimal", HALF),
        ("dpt_hybrid_384", 384, "minimal", HALF),
        ("dpt_swin2_tiny_256", 256, "square", HALF),
        ("dpt_swin_large_384", 384, "square", HALF),
        ("midas_v21_384", 384, "upper_bound", IMAGENET_MEAN),
        ("midas_v21_small_256", 256, "upper_bound", IMAGENET_MEAN),
    ],
)
def test_each_network_has_its_official_size_and_normalisation(
    name: str, side: int, rule: str, mean: tuple[float, ...]
) -> None:
    found = RULES.conventions(PUBLISHED[name], "midas")
    assert (found.base_px, found.rule, found.mean, found.final_resize) == ((side, side), rule, mean, "bicubic")
    assert found.attention == (not name.startswith("midas_v21")) and not found.mirrored
