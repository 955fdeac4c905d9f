"""Folders of peft: what they must hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthrt.engine.errors import InputError
from depthrt.finetune.adapt.peft_folder import is_peft_folder, read_peft_folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ('{"r": 0, "lora_alpha": 4}', "r is 0, expected a whole number from 1"),
        ('{"r": 4}', "lora_alpha is missing; save the updates with peft again"),
        ('{"r": 4, "lora_alpha": 8, "target_modules": []}', "has no adapter_model.safetensors; save the updates"),
    ],
)
def test_a_damaged_folder_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    assert not is_peft_folder(tmp_path)
    (tmp_path / "adapter_config.json").write_text(text)
    assert is_peft_folder(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        read_peft_folder(tmp_path)
    assert "\n" not in str(caught.value)
