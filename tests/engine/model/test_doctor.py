"""Each runner is tried, and one that fails gets its reason and a remedy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from depthrt import BackendUnavailable
from depthrt.engine.cuda.driver.driver import Gpu
from depthrt.engine.model import doctor
from depthrt.engine.model.doctor import Finding, examine
from depthrt.engine.runners.ort_session import CPU, CUDA


def refuse(message: str) -> Any:  # noqa: ANN401
    def raises(*arguments: object) -> None:
        raise BackendUnavailable(message)

    return raises


def find(name: str) -> Finding:
    (found,) = (finding for finding in examine() if finding.name == name)
    return found


def test_what_is_installed_here_works_and_what_fails_has_a_remedy() -> None:
    findings = examine()
    names = [finding.name for finding in findings]
    assert names == [
        "machine", "onnxruntime CPU", "onnxruntime CUDA", "openvino CPU", "CUDA driver", "pycuda", "TensorRT",
        "depthrt export",
    ]  # fmt: skip
    assert {"machine", "onnxruntime CPU", "openvino CPU", "depthrt export"} <= {
        one.name for one in findings if one.works
    }
    assert all(finding.remedy for finding in findings if not finding.works)
    assert not any("\n" in f"{finding.detail}{finding.remedy}" for finding in findings)


def made_onnxruntime(*, providers: list[str], used: str = CPU, answer: float = 1.0, error: str = "") -> SimpleNamespace:
    class Session:
        def __init__(self, model: bytes, options: object, providers: list[str]) -> None:
            if error:
                raise RuntimeError(error)

        def get_providers(self) -> list[str]:
            return [used]

        def run(self, names: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            return [inputs["x"] * answer]

    return SimpleNamespace(
        __version__="9.9",
        get_available_providers=lambda: providers,
        SessionOptions=lambda: SimpleNamespace(add_session_config_entry=lambda name, value: None),
        InferenceSession=Session,
    )


@pytest.mark.parametrize(
    ("runtime", "works", "detail"),
    [
        (made_onnxruntime(providers=[CUDA, CPU], used=CUDA), True, "onnxruntime 9.9, ran a model"),
        (made_onnxruntime(providers=[CPU]), False, "onnxruntime 9.9 was built without it"),
        (made_onnxruntime(providers=[CUDA, CPU], used=CPU), False, f"onnxruntime 9.9 fell back to {CPU}"),
        (made_onnxruntime(providers=[CUDA], error="no\n kernel image"), False, "no kernel image"),
        (made_onnxruntime(providers=[CUDA], used=CUDA, answer=2.0), False, "onnxruntime 9.9 fell back"),
    ],
)
def test_a_provider_is_tried_by_running_a_model(
    monkeypatch: pytest.MonkeyPatch, runtime: SimpleNamespace, works: bool, detail: str
) -> None:
    monkeypatch.setattr(doctor, "import_onnxruntime", lambda: runtime)
    found = find("onnxruntime CUDA")
    assert found.works == works and found.detail.startswith(detail) and bool(found.remedy) != works


def test_a_runner_that_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("onnxruntime", "openvino"):
        message = f"{name} cannot be imported (no module); install it with: pip install 'depthrt[cpu]'"
        monkeypatch.setattr(doctor, f"import_{name}", refuse(message))
        found = find(f"{name} CPU")
        assert (found.works, found.detail) == (False, f"{name} cannot be imported (no module)")
        assert found.remedy == "pip install 'depthrt[cpu]'"


def made_core(*, answer: float) -> SimpleNamespace:
    def compile_model(model: object, device: str) -> Any:  # noqa: ANN401
        return lambda inputs: {0: inputs[0] * answer}

    return SimpleNamespace(
        read_model=lambda model: model, compile_model=compile_model, get_property=lambda device, name: ["FP32"]
    )


@pytest.mark.parametrize(
    ("answer", "works", "detail"),
    [(1.0, True, "fp32; bf16 needs a CPU with AVX512-BF16 or AMX"), (2.0, False, "answers")],
)
def test_openvino_is_tried_by_running_a_model(
    monkeypatch: pytest.MonkeyPatch, answer: float, works: bool, detail: str
) -> None:
    monkeypatch.setattr(doctor, "the_core", lambda: made_core(answer=answer))
    found = find("openvino CPU")
    assert found.works == works and detail in found.detail and bool(found.remedy) != works


def test_a_broken_openvino_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "the_core", refuse("plugins.xml\n is missing"))
    assert find("openvino CPU") == Finding(
        "openvino CPU", False, "plugins.xml is missing", "pip install --upgrade 'depthrt[cpu]'"
    )


def test_a_driver_is_named_by_its_gpu_and_without_one_pycuda_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_gpu", lambda: Gpu("NVIDIA L4", "8.9"))
    assert find("CUDA driver") == Finding("CUDA driver", True, "NVIDIA L4, compute capability 8.9")
    monkeypatch.setattr(doctor, "find_gpu", refuse("no NVIDIA driver"))
    monkeypatch.setattr(doctor, "find_spec", lambda name: object())
    assert not find("CUDA driver").works
    found = find("pycuda")
    assert not found.works and "was not tried: no NVIDIA driver" in found.detail and found.remedy == "see CUDA driver"


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name in ("torch", "pycuda") else object())
    assert find("depthrt export") == Finding(
        "depthrt export", False, "not installed: torch", "pip install 'depthrt[export]'"
    )
    assert find("pycuda").detail == "not installed"


def test_tensorrt_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "import_tensorrt", refuse("TensorRT is not installed"))
    found = find("TensorRT")
    assert not found.works and found.detail == "TensorRT is not installed" and "pip install" in found.remedy
