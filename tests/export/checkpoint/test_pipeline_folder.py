"""A folder of diffusers is read from its files alone; what is missing is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from made_marigold import tiny_marigold
from safetensors.torch import load_file, save_file

from depthrt.engine.errors import ModelFileError
from depthrt.export.checkpoint.checkpoint import read_checkpoint
from depthrt.export.checkpoint.pipeline_folder import is_pipeline, load_pipeline

STEM = "diffusion_pytorch_model"


@pytest.fixture
def folder(marigold_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(marigold_folder, tmp_path / "copy"))


def test_tensors_have_the_names_of_their_parts_and_the_prompt_is_embedded(marigold_folder: Path) -> None:
    contents, settings = load_pipeline(marigold_folder)
    expected = tiny_marigold("v1-1").state_dict()
    assert isinstance(contents.data, dict) and contents.data.keys() == expected.keys()
    assert (contents.data["prompt"] - expected["prompt"]).abs().max() < 1e-6 * expected["prompt"].abs().max()
    assert settings.config.keys() == {"model_index", "unet", "vae", "scheduler"}
    assert is_pipeline(marigold_folder) and not is_pipeline(marigold_folder / "unet")


def test_the_hash_is_of_every_part(folder: Path) -> None:
    before = load_pipeline(folder)[0].sha256
    weights = load_file(folder / "vae" / f"{STEM}.safetensors")
    weights["decoder.conv_in.bias"] += 1
    save_file(weights, folder / "vae" / f"{STEM}.safetensors")
    assert load_pipeline(folder)[0].sha256 != before


def test_bin_files_and_copies_in_half_precision_are_read_and_said(folder: Path) -> None:
    for part, file in (("unet", f"{STEM}.safetensors"), ("vae", f"{STEM}.safetensors")):
        weights = {name: tensor.half() for name, tensor in load_file(folder / part / file).items()}
        torch.save(weights, folder / part / f"{STEM}.fp16.bin")
        (folder / part / file).unlink()
    found = read_checkpoint(folder)
    assert "Weights in float16 were converted to float32." in found.remarks
    name = "unet.conv_in.weight"
    assert torch.equal(found.tensors[name], tiny_marigold("v1-1").state_dict()[name].half().float())


def test_older_names_of_the_autoencoders_attention_are_read(folder: Path) -> None:
    old = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    path = folder / "vae" / f"{STEM}.safetensors"
    renamed = {}
    for name, tensor in load_file(path).items():
        present = next((part for part in old if part in name), "")
        renamed[name.replace(present, old[present]) if present else name] = tensor
    assert any(".proj_attn." in name for name in renamed)
    save_file(renamed, path)
    assert read_checkpoint(folder).tensors.keys() == tiny_marigold("v1-1").state_dict().keys()


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (f"unet/{STEM}.safetensors", rf"unet holds none of {STEM}\.safetensors, .*; download the whole folder"),
        ("text_encoder/model.safetensors", "text_encoder too: the prompt's embedding is computed from it"),
        ("vae/config.json", r"vae/config\.json is missing, which a diffusers folder has"),
        ("scheduler/scheduler_config.json", r"scheduler_config\.json is missing"),
    ],
)
def test_a_missing_file_is_named(missing: str, message: str, folder: Path) -> None:
    (folder / missing).unlink()
    with pytest.raises(ModelFileError, match=message):
        load_pipeline(folder)


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        ("", r"text_encoder lacks the tensor .*token_embedding\.weight"),
        ("embeddings.token_embedding.weight", r"text_encoder is not a text encoder of CLIP \(.*\); download it again"),
    ],
)
def test_a_text_encoder_that_is_none_is_refused(spoiled: str, message: str, folder: Path) -> None:
    path = folder / "text_encoder" / "model.safetensors"
    weights = load_file(path)
    name = next(name for name in weights if "token_embedding" in name)
    weights = weights | {name: torch.ones(5, 24)} if spoiled else {"a": torch.ones(1)}
    save_file(weights, path)
    with pytest.raises(ModelFileError, match=message):
        load_pipeline(folder)
