"""A folder of diffusers becomes plain data: tensors of its parts, its configs, and the prompt's embedding."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ...engine.errors import ModelFileError
from ...engine.system.field_types import Count, Name, Positive
from ..families.hub.marigold.config import read_index
from ..families.hub.settings import CONFIG, FolderSettings
from ..foreign_json import read_known, read_object
from ..network.marigold.prompt import ACTIVATIONS, TextEncoder
from .safe_load import Contents, load_file, reading, shown
from .shards import INDEX_ENDING, join_shards, shards_of
from .torch_file.stored import StoredTensor

INDEX = "model_index.json"
MODEL_TYPE = "marigold"
PARTS = ("unet", "vae")
# Names of weights without a suffix, then their suffixes. Copies in float16 come last: those in float32 are exact.
_STEMS = {"unet": ("diffusion_pytorch_model",), "vae": ("diffusion_pytorch_model",)}
_TEXT_STEMS = ("model", "pytorch_model")
_SUFFIXES = (".safetensors", ".bin", ".fp16.safetensors", ".fp16.bin")
# Names of an autoencoder's attention before diffusers 0.17. Source: diffusers, models/attention.py at v0.16
_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}


# Source: transformers models/clip/configuration_clip.py (CLIPTextConfig)
@dataclass(frozen=True, slots=True)
class TextConfig:
    """A config.json of CLIPTextModel, with its defaults."""

    num_hidden_layers: Count = 12
    num_attention_heads: Count = 8
    hidden_act: Name = "quick_gelu"
    layer_norm_eps: Positive = 1e-5


def is_pipeline(folder: Path) -> bool:
    """Return whether a folder is one of diffusers."""
    return (folder / INDEX).is_file()


def load_pipeline(folder: Path) -> tuple[Contents, FolderSettings]:
    """Read a folder of a diffusers pipeline; no code in it is run, and nothing is downloaded.

    Returns:
        Its tensors as "unet.NAME" and "vae.NAME", the embedding of the empty prompt as "prompt"; and its configs, as
        "model_index", "unet", "vae" and "scheduler".

    Raises:
        ModelFileError: A part is missing or damaged, or it is another pipeline.
    """
    with reading(folder):
        settings = FolderSettings(folder, MODEL_TYPE, {"model_index": read_object(folder / INDEX)}, None)
        read_index(settings)  # names another pipeline before its parts are missed
        config = {part: _config(folder / part) for part in PARTS}
        scheduler = _config(folder / "scheduler", "scheduler_config.json")
    parts = {part: _load_part(folder / part, _STEMS[part]) for part in PARTS}
    encoder = _load_part(folder / "text_encoder", _TEXT_STEMS)
    data: dict[str, Any] = {
        f"{part}.{_renamed(name)}": tensor for part in PARTS for name, tensor in _tensors(parts[part], folder).items()
    }
    data["prompt"] = _prompt(folder / "text_encoder", _tensors(encoder, folder))
    digests = "".join(part.sha256 for part in (*parts.values(), encoder))
    contents = Contents(data, "diffusers folder", hashlib.sha256(digests.encode()).hexdigest())
    return contents, FolderSettings(folder, MODEL_TYPE, {**settings.config, **config, "scheduler": scheduler}, None)


def _config(folder: Path, name: str = CONFIG) -> dict[str, Any]:
    if not (folder / name).is_file():
        raise ModelFileError(f"{folder / name} is missing, which a diffusers folder has; download the whole folder")
    return read_object(folder / name)


def _load_part(folder: Path, stems: tuple[str, ...]) -> Contents:
    """Read the weights of one part, from one file or several."""
    with reading(folder):
        files = _files_of(folder, stems)
    contents = [load_file(file) for file in files]
    if len(contents) == 1:
        return contents[0]
    sha256 = hashlib.sha256("".join(part.sha256 for part in contents).encode()).hexdigest()
    return Contents(join_shards(files, contents), "diffusers folder", sha256)


def _files_of(folder: Path, stems: tuple[str, ...]) -> list[Path]:
    names = [f"{stem}{suffix}" for suffix in _SUFFIXES for stem in stems]
    for name in names:
        if (folder / name).is_file():
            return [folder / name]
        if (folder / f"{name}{INDEX_ENDING}").is_file():
            return shards_of(folder / f"{name}{INDEX_ENDING}")
    raise ModelFileError(
        f"{folder} holds none of {', '.join(names)}; download the whole folder (text_encoder too: the prompt's "
        "embedding is computed from it)"
    )


def _tensors(contents: Contents, folder: Path) -> dict[str, Tensor]:
    """Return the tensors of a part."""
    if not isinstance(contents.data, Mapping):
        raise ModelFileError(f"{folder} holds a {type(contents.data).__name__} for weights, expected named tensors")
    return {
        str(name): tensor.read() if isinstance(tensor, StoredTensor) else tensor
        for name, tensor in contents.data.items()
        if isinstance(tensor, Tensor | StoredTensor)
    }


def _renamed(name: str) -> str:
    """Return the present name of a tensor of an autoencoder's attention."""
    if "mid_block.attentions." in name and "transformer_blocks" not in name:
        for old, present in _OLD_ATTENTION.items():
            name = name.replace(old, present)
    return name


def _prompt(folder: Path, tensors: Mapping[str, Tensor]) -> Tensor:
    """Return the embedding (1, 2, C) of the empty prompt."""
    config = read_known(TextConfig, _config(folder), name=f"{folder / CONFIG}: config")
    if config.hidden_act not in ACTIVATIONS:
        raise ModelFileError(f"{folder / CONFIG} says hidden_act {shown(config.hidden_act)}, expected gelu")
    encoder = TextEncoder(
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        activation=config.hidden_act,
        epsilon=config.layer_norm_eps,
        tensors={name.removeprefix("text_model."): tensor for name, tensor in tensors.items()},
    )
    try:
        return encoder.embed_empty()
    except KeyError as error:
        raise ModelFileError(f"{folder} lacks the tensor {error.args[0]}; download the folder again") from error
    except (IndexError, RuntimeError) as error:
        raise ModelFileError(
            f"{folder} is not a text encoder of CLIP ({shown(str(error).splitlines()[0])}); download it again"
        ) from error
