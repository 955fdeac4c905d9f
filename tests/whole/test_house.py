"""Holds who may import whom, by reading every file's imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cli", "engine", "export", "bench", "finetune", "serve")

# What a room may import of the package: rooms, or modules of rooms.
INSIDE: dict[str, set[str]] = {
    "engine": {"engine"},
    "export": {
        "export",
        "engine.canary",
        "engine.contract",
        "engine.errors",
        "engine.files",
        "engine.image",
        "engine.model",
        "engine.ort_runner",
        "engine.preprocess",
        "engine.runner",
    },
    "bench": {"bench", "engine", "export.checkpoint", "export.find_weights", "export.network", "export.promise"},
    "finetune": {
        "finetune",
        "export.network",
        "export.checkpoint",
        "bench.accuracy",
        "engine.contract",
        "engine.errors",
        "engine.files",
        "engine.image",
    },
    "serve": {"serve", "engine"},
    "cli": set(ROOMS),
}
ROOT_MODULES = {"": {"engine"}}

# Third-party packages by room; the standard library is free everywhere.
OUTSIDE: dict[str, set[str]] = {
    "engine": {"numpy", "cv2", "PIL", "pillow_heif", "OpenEXR"},
    "export": {"numpy", "torch", "onnx", "onnx_ir", "onnxruntime", "safetensors", "transformers"},
    "bench": {
        "numpy",
        "cv2",
        "PIL",
        "OpenEXR",
        "torch",
        "onnx",
        "safetensors",
        "transformers",
        "h5py",
        "skimage",
        "click",
        "rich",
        "jinja2",
    },
    "finetune": {"numpy", "cv2", "torch", "h5py", "rich", "safetensors", "accelerate", "tensorboard"},
    "serve": {"numpy"},
    "": {"numpy"},
    "cli": {"click", "rich", "jinja2"},
}
# Packages that stand in one file alone, imported on use.
ONLY_IN = {
    "onnxruntime": {"engine/ort_runner.py"},
    "openvino": {"engine/openvino_runner.py"},
    "tensorrt": {"engine/trt/library.py"},
    "tensorrt_bindings": {"engine/trt/library.py"},
    "tensorrt_rtx": {"engine/trt/library.py"},
    "tensorrt_rtx_bindings": {"engine/trt/library.py"},
    "pycuda": {"engine/cuda/gpu.py"},
}


def modules() -> list[Path]:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return sorted(files + [ROOT / name for name in ("__init__.py",)])


def imports_of(path: Path) -> list[tuple[bool, str]]:
    """Return (inside the package, dotted name) of every import of a file, those inside functions too."""
    package = path.relative_to(ROOT).parts[:-1]
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(False, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append((False, node.module or ""))
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found += [(True, ".".join((*base, name))) for name in names]
    return found


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else path.stem.replace("__init__", "")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    room = room_of(path)
    allowed = INSIDE.get(room) or ROOT_MODULES[room]
    for inside, name in imports_of(path):
        top = name.split(".")[0]
        if inside:
            assert name == "__version__" or any(name == place or name.startswith(place + ".") for place in allowed), (
                f"{path.name} imports {name}"
            )
        elif top in ONLY_IN:
            assert str(path.relative_to(ROOT)) in ONLY_IN[top] or room != "engine", f"{path.name} imports {top}"
        elif top not in sys.stdlib_module_names:
            assert top in OUTSIDE[room], f"{path.name} imports {top}"


def test_nobody_imports_the_command_line() -> None:
    for path in modules():
        assert room_of(path) == "cli" or not any(
            inside and name.split(".")[0] == "cli" for inside, name in imports_of(path)
        )


def test_importing_depthrt_loads_numpy_at_most() -> None:
    heavy = ("torch", "onnx", "onnxruntime", "cv2", "PIL", "rich", "click", "transformers")
    code = f"import depthrt, sys; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_asking_for_help_loads_no_heavy_package() -> None:
    heavy = ("torch", "onnx", "onnxruntime", "cv2", "numpy", "transformers")
    code = (
        "import sys; from depthrt.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr.strip() == "[]"


def test_every_public_name_is_there() -> None:
    import depthrt

    for name in depthrt.__all__:
        assert getattr(depthrt, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        depthrt.nonsense  # noqa: B018
