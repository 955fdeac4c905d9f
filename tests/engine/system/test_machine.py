from __future__ import annotations

from pathlib import Path

import pytest

from depthrt.engine.system.machine import ISA_SWITCHES, describe_cpu, lacks_vnni, read_machine, runtime_versions


def test_the_versions_are_those_of_the_runtimes_that_are_installed() -> None:
    import onnxruntime

    assert onnxruntime.__version__ in runtime_versions().values()
    assert all(runtime_versions().values())


def test_a_cpu_is_known_by_its_features_and_not_by_its_clock(tmp_path: Path) -> None:
    def cpu(*, mhz: int, flags: str) -> dict[str, str]:
        core = f"model name\t: Made CPU\ncpu MHz\t\t: {mhz}\nflags\t\t: {flags}\n\n"
        (tmp_path / "cpuinfo").write_text(core * 2)
        return describe_cpu(tmp_path / "cpuinfo")

    first = cpu(mhz=2600, flags="avx2 amx_bf16")
    assert first["name"] == "Made CPU"
    assert cpu(mhz=3100, flags="amx_bf16 avx2") == first
    assert cpu(mhz=2600, flags="avx2") != first
    assert describe_cpu(tmp_path / "nothing")["name"]


@pytest.mark.parametrize("switch", ISA_SWITCHES)
def test_a_switch_that_hides_instruction_sets_is_part_of_the_cpu(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(switch, raising=False)
    before = describe_cpu()
    monkeypatch.setenv(switch, "AVX2")
    assert describe_cpu() == {**before, switch: "AVX2"}


def test_a_machine_is_its_cpu_and_its_versions() -> None:
    assert read_machine().key() == {"cpu": describe_cpu(), "versions": runtime_versions()}


@pytest.mark.parametrize(
    ("lines", "lacks"),
    [
        ("flags\t: sse2 avx2\n", True),
        ("flags\t: sse2 avx2 avx512f\n", True),
        ("flags\t: avx2 avx_vnni\n", False),
        ("flags\t: avx512f avx512_vnni\n", False),
        ("Features\t: asimd\n", False),
        ("", False),
    ],
)
def test_vnni_is_missed_on_an_x86_cpu_only(lines: str, lacks: bool, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(lines)
    assert lacks_vnni(tmp_path / "cpuinfo") == lacks
