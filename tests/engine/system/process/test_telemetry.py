"""What depthrt does so that the libraries under it report nothing to their makers."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from depthrt.engine.runners.ort_session import import_onnxruntime
from depthrt.engine.system.cache.folder import warn_once
from depthrt.engine.system.process import telemetry

_PRINT = "import os, {}; print(os.environ.get('ORT_DISABLE_TELEMETRY'))"


def switch_in_a_fresh_process(imports: str, **environment: str) -> str:
    variables = {name: value for name, value in os.environ.items() if name not in telemetry.SWITCHES}
    done = subprocess.run(
        [sys.executable, "-c", _PRINT.format(imports)], env=variables | environment, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.mark.parametrize(
    ("own", "expected"),
    [({}, "1"), ({"ORT_DISABLE_TELEMETRY": ""}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")],
    ids=["unset", "empty", "the user asks for it"],
)
def test_import_depthrt_sets_the_switch_unless_the_user_did(own: dict[str, str], expected: str) -> None:
    assert switch_in_a_fresh_process("depthrt", **own) == expected


@pytest.fixture
def early_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls to an onnxruntime that was imported before depthrt."""
    calls: list[str] = []
    module = ModuleType("onnxruntime")
    module.disable_telemetry_events = lambda: calls.append("off")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
    monkeypatch.setattr(telemetry, "_loaded_before", set())
    warn_once.cache_clear()
    return calls


def test_reports_of_an_earlier_import_are_switched_off_and_that_is_said_once(
    early_onnxruntime: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(telemetry.ORT_SWITCH)
    telemetry.opt_out()
    with caplog.at_level(logging.WARNING, logger="depthrt"):
        import_onnxruntime()
        import_onnxruntime()
    assert early_onnxruntime
    (message,) = caplog.messages
    assert "was imported before depthrt" in message and "set ORT_DISABLE_TELEMETRY=1" in message


@pytest.mark.parametrize("own", ["0", "1"])
def test_an_earlier_import_with_the_users_own_switch_is_left_as_it_is(
    own: str, early_onnxruntime: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(telemetry.ORT_SWITCH, own)
    telemetry.opt_out()
    import_onnxruntime()
    assert not early_onnxruntime and not caplog.messages
    assert os.environ[telemetry.ORT_SWITCH] == own


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A stand-in for the package by which openvino reports, and a home of its own."""
    monkeypatch.setattr(telemetry, "OPENVINO_REPORTS", "reports_of_openvino")
    (tmp_path / "reports_of_openvino.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return "reports_of_openvino"


def test_openvino_is_imported_without_the_package_by_which_it_reports(reports: str) -> None:
    with telemetry.without_openvino_reports(), pytest.raises(ImportError):
        import_module(reports)
    assert import_module(reports)  # the user's own import works
    sys.modules.pop(reports)


def test_consent_given_to_openvino_stays(reports: str, tmp_path: Path) -> None:
    (tmp_path / "intel").mkdir()
    (tmp_path / "intel" / "openvino_telemetry").write_text("1")
    with telemetry.without_openvino_reports():
        assert import_module(reports)
    sys.modules.pop(reports)
