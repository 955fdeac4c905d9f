"""OpenVINO as a runner: its answers, its precisions, its cache, and CPUs on which it cannot compute."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import openvino
import pytest
from tiny_model import TinyModel

from depthrt import BackendUnavailable, InputError, ModelFileError
from depthrt.engine.modelfile.canary import canary_drift, canary_input
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.runners import openvino_runner
from depthrt.engine.runners.canary_check import DRIFT
from depthrt.engine.runners.open_runner import open_runner
from depthrt.engine.runners.openvino_runner import OpenVinoRunner, cpu_precisions, sums_int8_exactly, the_core
from depthrt.engine.runners.runner import Runner
from depthrt.engine.system.machine import lacks_vnni
from depthrt.engine.terms import Precision

PRECISIONS = cpu_precisions()
SIZES = ((1, 126, 196), (2, 126, 126), (1, 252, 126))
BETWEEN_RUNNERS: dict[Precision, float] = {"fp32": 1e-4, "bf16": 5e-2}  # mean difference of the range


def opened(tiny: TinyModel, precision: Precision = "fp32") -> OpenVinoRunner:
    return OpenVinoRunner(open_model_file(tiny.onnx), precision=precision, threads=1)


def pixels(images: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-2, 2, (images, 3, height, width)).astype(np.float32)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_one_file_answers_every_size_as_onnx_runtime_does(tiny: TinyModel, precision: Precision) -> None:
    runner = opened(tiny, precision)
    reference = open_runner(open_model_file(tiny.onnx), device="cpu", threads=1)
    for size in SIZES:
        batch = pixels(*size)
        found, expected = runner.run(batch), reference.run(batch)
        assert found.shape == expected.shape and found.dtype == np.float32
        assert np.abs(found - expected).mean() <= BETWEEN_RUNNERS[precision] * np.ptp(expected)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_it_says_what_it_is_and_answers_the_canary(tiny: TinyModel, precision: Precision) -> None:
    runner, contract = opened(tiny, precision), read_contract(tiny.onnx)
    assert isinstance(runner, Runner)
    assert (runner.name, runner.provider, runner.precision, runner.notes) == ("openvino", "CPU", precision, ())
    golden = canary_input(contract.canary.size_px, contract.mean, contract.std)
    assert canary_drift(contract.canary, runner.run(golden)[0]) <= DRIFT[precision]


def test_bf16_is_another_arithmetic_than_float32(tiny: TinyModel) -> None:
    if "bf16" not in PRECISIONS:
        pytest.skip("this CPU does not compute in bf16")
    batch = pixels(*SIZES[0])
    assert not np.array_equal(opened(tiny, "bf16").run(batch), opened(tiny, "fp32").run(batch))


def test_a_precision_that_the_cpu_lacks_is_refused(tiny: TinyModel) -> None:
    with pytest.raises(BackendUnavailable, match="does not compute in fp16 on a CPU; use precision fp32"):
        opened(tiny, "fp16")
    if "bf16" not in PRECISIONS:
        with pytest.raises(BackendUnavailable, match="does not compute in bf16"):
            opened(tiny, "bf16")


def test_an_answer_stays_as_it_is_when_the_next_one_comes(tiny: TinyModel) -> None:
    runner = opened(tiny)
    first = runner.run(pixels(*SIZES[0]))
    kept = first.copy()
    runner.run(pixels(*SIZES[0], seed=1))
    assert np.array_equal(first, kept) and first.flags.owndata


def test_several_threads_get_the_answers_of_one(tiny: TinyModel) -> None:
    runner = opened(tiny)
    batches = [pixels(*SIZES[seed % 3], seed=seed) for seed in range(9)]
    expected = [runner.run(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(runner.run, batches))
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


def test_a_batch_that_lies_scattered_in_memory_is_taken(tiny: TinyModel) -> None:
    runner, batch = opened(tiny), pixels(*SIZES[0])
    assert np.array_equal(runner.run(batch[:, ::-1]), runner.run(np.ascontiguousarray(batch[:, ::-1])))


def test_a_closed_runner_says_so(tiny: TinyModel) -> None:
    runner = opened(tiny)
    runner.close()
    with pytest.raises(InputError, match="closed"):
        runner.run(pixels(*SIZES[0]))


def test_a_static_file_runs_at_its_size(tiny_static: TinyModel) -> None:
    contract = read_contract(tiny_static.onnx)
    runner = OpenVinoRunner(open_model_file(tiny_static.onnx), precision="fp32", threads=1)
    batch = pixels(1, *contract.size.base_px)
    expected = open_runner(open_model_file(tiny_static.onnx), device="cpu", threads=1).run(batch)
    assert np.abs(runner.run(batch) - expected).mean() <= BETWEEN_RUNNERS["fp32"] * np.ptp(expected)


def test_a_file_is_compiled_once_and_again_where_it_changed(tiny: TinyModel, cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(tiny.onnx.read_bytes())
    batch = pixels(*SIZES[0])
    first = OpenVinoRunner(open_model_file(file), precision="fp32", threads=1).run(batch)
    (folder,) = (cache / "openvino").iterdir()
    (blob,) = folder.glob("*.blob")
    written = blob.stat().st_mtime_ns
    assert np.array_equal(OpenVinoRunner(open_model_file(file), precision="fp32", threads=1).run(batch), first)
    assert blob.stat().st_mtime_ns == written and list((cache / "openvino").iterdir()) == [folder]
    file.write_bytes(tiny.onnx.read_bytes() + b"\x72\x00")  # an empty entry of metadata
    OpenVinoRunner(open_model_file(file), precision="fp32", threads=1)
    assert len(list((cache / "openvino").iterdir())) == 2


def test_a_damaged_compilation_is_made_again(tiny: TinyModel, cache: Path) -> None:
    batch = pixels(*SIZES[0])
    first = opened(tiny).run(batch)
    (folder,) = (cache / "openvino").iterdir()
    (blob,) = folder.glob("*.blob")
    files, whole = set(folder.iterdir()), blob.read_bytes()
    at = len(whole) * 3 // 4  # among the weights, whose bytes OpenVINO takes as they are
    damaged = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
    (sums,) = files - {blob}
    for damage in (lambda: blob.write_bytes(damaged), blob.unlink, sums.unlink, lambda: sums.write_text("no sums")):
        damage()
        assert np.array_equal(opened(tiny).run(batch), first)
        assert set(folder.iterdir()) == files and blob.read_bytes() != damaged


def test_without_a_cache_it_compiles_each_time(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "file"))
    assert opened(tiny).run(pixels(*SIZES[0])).shape == (1, 126, 196)


def test_a_model_that_is_closed_while_it_runs_keeps_nothing(tiny: TinyModel, cache: Path) -> None:
    runner = opened(tiny)
    runner.run(pixels(*SIZES[0]))
    request = runner._idle.pop()

    class Closing:
        def infer(self, *arguments: object, **options: object) -> object:
            answer = request.infer(*arguments, **options)
            runner.close()
            return answer

    runner._idle.append(Closing())
    assert runner.run(pixels(*SIZES[0])).shape == (1, 126, 196)
    assert not runner._idle


def test_a_damaged_graph_is_refused_in_one_line(tiny: TinyModel, tmp_path: Path) -> None:
    data = bytearray(tiny.onnx.read_bytes())
    at = data.index(b"LayerNormalization")
    data[at : at + 5] = b"Wrong"
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(data)
    with pytest.raises(ModelFileError, match="OpenVINO refuses") as caught:
        OpenVinoRunner(open_model_file(broken), precision="fp32", threads=1)
    assert "\n" not in str(caught.value)


def test_without_openvino_the_extra_is_named(tiny: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)  # as Python does for what cannot be imported
    with pytest.raises(BackendUnavailable, match=r"pip install 'depthrt\[cpu\]'"):
        opened(tiny)
    assert cpu_precisions() == ()


@pytest.mark.parametrize(
    ("capabilities", "precisions"),
    [(["FP32", "BF16", "INT8"], ("fp32", "bf16")), (["FP32", "INT8"], ("fp32",)), ([], ("fp32",))],
)
def test_bf16_is_offered_where_openvino_names_it_among_what_the_cpu_can(
    capabilities: list[str], precisions: tuple[Precision, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    properties = {("CPU", "OPTIMIZATION_CAPABILITIES"): capabilities}
    core = SimpleNamespace(get_property=lambda *asked: properties[asked])
    monkeypatch.setattr(openvino_runner, "_start_core", lambda: core)
    assert cpu_precisions() == precisions
    for precision in ("fp32", "bf16", "int8"):
        if precision in (*precisions, "int8"):
            openvino_runner.check_precision(core, precision)
        else:
            with pytest.raises(BackendUnavailable, match="neither AVX512-BF16 nor AMX"):
                openvino_runner.check_precision(core, precision)


def test_the_process_has_one_openvino_that_stays() -> None:
    first = the_core()
    cpu_precisions()
    assert the_core() is first


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_that_openvino_did_not_take_is_refused(
    precision: Precision, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Compiled:
        def get_property(self, name: str) -> object:
            assert name == "INFERENCE_PRECISION_HINT"
            return SimpleNamespace(get_type_name=lambda: "bf16" if precision == "fp32" else "f32")

    monkeypatch.setattr(openvino_runner, "has_bf16", lambda core: True)
    monkeypatch.setattr(openvino_runner, "_compile", lambda *arguments: Compiled())
    with pytest.raises(BackendUnavailable, match=rf"OpenVINO compiled .* in b?f\d+, {precision} was asked for"):
        opened(tiny, precision)


def test_what_is_compiled_is_kept_for_one_precision_file_version_and_machine(
    tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []

    @contextmanager
    def note_key(name: str, key: dict[str, object]) -> Iterator[None]:
        keys.append(json.dumps(key, sort_keys=True))
        yield None

    monkeypatch.setattr(openvino_runner, "compiled_folder", note_key)
    file, core = open_model_file(tiny.onnx), the_core()
    version = SimpleNamespace(__version__="9.9")
    for precision, found, library in (
        ("fp32", file, openvino),
        ("int8", file, openvino),
        ("fp32", replace(file, machine=replace(file.machine, cpu={"name": "another"})), openvino),
        ("fp32", replace(file, identity=file.identity | {"contract_sha256": "another"}), openvino),
        ("fp32", file, version),
    ):
        openvino_runner._compile(library, core, found, precision, 1)  # type: ignore[arg-type]
    assert len(set(keys)) == 5


_ON_AVX2 = """
import sys
import numpy as np
from dataclasses import replace
from depthrt import BackendUnavailable
from depthrt.engine.modelfile.model_file import as_model_file, open_model_file
from depthrt.engine.runners.open_runner import available_choices
from depthrt.engine.runners.openvino_runner import OpenVinoRunner, sums_int8_exactly

file = open_model_file(sys.argv[1])
int8 = replace(file.contract, precision="int8")
assert not sums_int8_exactly()
assert [choice.runner for choice in available_choices(int8, 1)] == ["onnxruntime"]
assert "openvino" in [choice.runner for choice in available_choices(file.contract, 1)]
try:
    OpenVinoRunner(as_model_file(file.path, int8), precision="int8", threads=1)
except BackendUnavailable as error:
    assert "this CPU has no VNNI" in str(error) and "use ONNX Runtime" in str(error)
else:
    raise AssertionError("an int8 file was opened")
"""


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="VNNI is of x86 CPUs")
def test_int8_without_vnni_is_refused_by_name(tiny: TinyModel) -> None:
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    command = [sys.executable, "-c", _ON_AVX2, str(tiny.onnx)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_int8_is_exact_unless_the_cpu_lacks_vnni() -> None:
    assert sums_int8_exactly() != lacks_vnni()
