"""A config.json that asks for what the network of its tensors does not compute is refused by the setting's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_folders import save_folder, tiny_folder, transformers_hybrid

from depthrt.engine.errors import ModelFileError
from depthrt.export.checkpoint.checkpoint import read_checkpoint


@pytest.mark.parametrize(
    ("encoder", "changes", "message"),
    [
        ("vit", {"num_attention_heads": 4}, "num_attention_heads is 4, this version exports 2 only"),
        ("vit", {"backbone_out_indices": [0, 1, 1, 3]}, "backbone_out_indices is [0, 1, 1, 3], this version exports"),
        ("vit", {"readout_type": "add"}, "readout_type is 'add', this version exports 'project' only"),
        ("vit", {"hidden_act": "relu"}, "hidden_act is 'relu', this version exports 'gelu' only"),
        ("vit", {"is_hybrid": True}, "is_hybrid is true, this version exports false only"),
        ("vit", {"is_hybrid": "yes"}, "config.is_hybrid is 'yes', expected true or false"),
        ("vit", {"reassemble_factors": [4, 2, 1, 1]}, "reassemble_factors is [4, 2, 1, 1], this version exports"),
        ("beit", {"backbone_config": {"out_indices": [1, 2, 2, 4]}}, "out_features is [1, 2, 2, 4], this version"),
        ("beit", {"backbone_config": {"model_type": "swin"}}, "backbone_config.model_type is 'swin', this version"),
        ("beit", {"backbone_config": {"use_shared_relative_position_bias": True}}, "shared_relative_position_bias is"),
        ("beit", {"backbone_config": {"qkv_bias": 3}}, "config.backbone_config.qkv_bias is 3, expected true or false"),
        ("swin2", {"backbone_config": {"window_size": 5}}, "image_size 128 and window_size 5, which do not fit"),
        ("swin2", {"backbone_config": {"pretrained_window_sizes": [12, 12, 12, 6]}}, "pretrained_window_sizes is [12"),
        ("swin2", {"backbone_config": {"num_heads": [1, 1, 1, 1]}}, "num_heads is [1, 1, 1, 1], this version exports"),
        ("N", {"bin_centers_type": "normed"}, "bin_centers_type is 'normed', this version exports 'softplus' only"),
        ("N", {"attractor_kind": "sum"}, "attractor_kind is 'sum', this version exports 'mean' only"),
        ("N", {"max_temp": 5.0}, "max_temp is 5, this version exports 50 only"),
        (
            "NK",
            {"bin_configurations": [{"n_bins": 64}]},
            "the number of bin_configurations is 1, this version",
        ),
        (
            "NK",
            {"bin_configurations": [{"n_bins": "a"}]},
            "config.bin_configurations[0].n_bins is 'a', expected a",
        ),
        (
            "NK",
            {"patch_transformer_num_attention_heads": 8},
            "patch_transformer_num_attention_heads is 8, this",
        ),
        ("K", {"backbone_config": {"num_attention_heads": 2}}, "num_attention_heads is 2, this version exports 1 only"),
    ],
)
def test_another_setting_is_refused_in_one_line(
    encoder: str, changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    folder, _ = tiny_folder(encoder, tmp_path / "folder", changes=changes)
    with pytest.raises(ModelFileError) as caught:
        read_checkpoint(folder)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(folder))


@pytest.mark.parametrize("factors", [[1, 1, 1, 0.5], [4, 2, 1, 0.5]])
def test_scales_of_the_hybrids_convolutional_maps_do_not_count(factors: list[float], tmp_path: Path) -> None:
    theirs = transformers_hybrid()
    folder = save_folder(theirs, tmp_path / "folder", changes={"reassemble_factors": factors})
    assert read_checkpoint(folder, kind="inverse").family == "midas"
    save_folder(theirs, folder, changes={"reassemble_factors": [1, 1, 2, 0.5]})
    with pytest.raises(ModelFileError, match=r"reassemble_factors is \[2, 0.5\]"):
        read_checkpoint(folder, kind="inverse")


def test_a_config_of_another_family_than_the_tensors_is_refused(tmp_path: Path) -> None:
    folder, _ = tiny_folder("vit", tmp_path / "folder", changes={"model_type": "depth_anything"})
    with pytest.raises(ModelFileError, match=r"config\.json says depth_anything, the tensors are those of MiDaS;"):
        read_checkpoint(folder)


def test_the_mean_of_another_normalisation_is_refused(tmp_path: Path) -> None:
    folder, _ = tiny_folder("vit", tmp_path / "folder")
    (folder / "preprocessor_config.json").write_text('{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}')
    read_checkpoint(folder)
    (folder / "preprocessor_config.json").write_text('{"image_mean": [0.485, 0.456, 0.406]}')
    with pytest.raises(ModelFileError, match=r"image_mean is \[0.485, 0.456, 0.406\], this version exports \[0.5"):
        read_checkpoint(folder)
