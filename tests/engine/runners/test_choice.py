from __future__ import annotations

import pytest

from depthrt.engine.runners.choice import Choice


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice("openvino", "bf16", 2), "openvino bf16, 2 threads"),
        (Choice("onnxruntime", "fp32", 1), "onnxruntime fp32, 1 thread"),
    ],
)
def test_a_choice_says_how_a_file_runs(choice: Choice, words: str) -> None:
    assert str(choice) == words
