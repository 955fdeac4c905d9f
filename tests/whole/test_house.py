"""Holds who may import whom, by reading every file's imports: rooms, floors, circles and the size of a folder."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cli", "engine", "export", "bench", "finetune", "serve", "robots")
ROOT_MODULES = ("__init__.py", "__main__.py", "exits.py")
MOST_MODULES = 11  # of a folder, __init__.py aside

# Modules with functions and no test file at their path: protocols, and modules that their neighbours' tests cover. The
# list only gets shorter.
WITHOUT_TEST_FILE = {
    "engine/cuda/network.py",
    "engine/run/listener.py",
    "engine/run/run_images.py",
    "engine/run/video/frames.py",
    "engine/runners/runner.py",
}

# What a room may import of the package: rooms, or modules of rooms.
INSIDE: dict[str, set[str]] = {
    "engine": {"engine"},
    "export": {
        "export",
        "engine.errors",
        "engine.terms",
        "engine.version",
        "engine.system",
        "engine.modelfile",
        "engine.images",
        "engine.runners",
        "engine.model.depth_model",
    },
    "bench": {"bench", "engine", "export.checkpoint", "export.network", "export.make_contract", "robots", "exits"},
    "finetune": {
        "finetune",
        "export.network",
        "export.checkpoint",
        "bench.accuracy",
        "bench.datasets",
        "bench.numbers",
        "bench.subjects",
        "engine.errors",
        "engine.terms",
        "engine.system",
        "engine.modelfile",
        "engine.images",
        "engine.depth.colour",
    },
    "serve": {"serve", "engine", "exits"},
    "robots": {"robots", "engine", "exits"},
    "cli": {*ROOMS, "exits"},
    "": {"engine", "export.download.fetch"},
    "exits": {"engine"},
    "__main__": {"cli"},
}

# Third-party packages by room; the standard library is free everywhere.
OUTSIDE: dict[str, set[str]] = {
    "engine": {"numpy", "cv2", "PIL", "pillow_heif", "OpenEXR", "av"},
    "export": {
        "numpy",
        "torch",
        "onnx",
        "onnx_ir",
        "onnxruntime",
        "safetensors",
        "transformers",
        "huggingface_hub",
        "diffusers",
    },
    "bench": {
        "numpy",
        "cv2",
        "PIL",
        "torch",
        "onnx",
        "safetensors",
        "transformers",
        "h5py",
        "matplotlib",
        "skimage",
        "click",
        "rich",
        "jinja2",
        "pydantic",
        "pydantic_core",
        "pynvml",
        "rosbags",
    },
    "finetune": {"numpy", "cv2", "torch", "h5py", "rich", "safetensors", "tensorboard", "peft", "mlflow"},
    "serve": {"numpy", "cv2", "fastapi", "starlette", "uvicorn", "h11", "prometheus_client", "ray"},
    "robots": {"numpy", "cv2", "mcap", "rosbags", "ruamel", "zenoh", "zstandard"},
    "cli": {"click", "rich", "jinja2"},
    "": {"numpy"},
    "exits": {"click", "rich"},
    "__main__": set(),
}
# Packages that stand in one file of the engine, imported on use.
ONLY_IN = {
    "onnxruntime": "engine/runners/ort_session.py",
    "openvino": "engine/runners/openvino_runner.py",
    "tensorrt": "engine/trt/library.py",
    "tensorrt_bindings": "engine/trt/library.py",
    "tensorrt_rtx": "engine/trt/library.py",
    "tensorrt_rtx_bindings": "engine/trt/library.py",
    "pycuda": "engine/cuda/driver/gpu.py",
}
# Floors of the big rooms, from the ground up: a folder or module imports only what is on a floor below its own.
FLOORS = {
    "engine": (
        "errors terms version",
        "system",
        "modelfile",
        "images",
        "depth",
        "cuda",
        "runners",
        "trt",
        "model",
        "run",
    ),
    "bench": (
        "numbers",
        "datasets subjects",
        "latency machine drift accuracy load",
        "run compare",
        "report",
        "bench",
        "bag cpu cost newest run_overhead self_check serving",
        "bridge",
    ),
    "export": (
        "network",
        "foreign_json hub_cache checkpoint.torch_file onnx_file.external",
        "checkpoint.safe_load",
        "families",
        "catalog licences",
        "download",
        "listing",
        "checkpoint",
        "make_contract precision onnx_file",
        "trace",
        "parity",
        "int8",
        "adopt to_onnx",
        "triton",
    ),
    "robots": (
        "messages",
        "reading",
        "writing",
        "request choose_topics steps views",
        "answers",
        "plan",
        "listener",
        "work",
        "bag bridge describe",
    ),
    "serve": (
        "refusal settings",
        "limits decode queue",
        "infer",
        "encode",
        "watch",
        "replicas",
        "service",
        "routes",
        "app",
        "program",
    ),
}


def read_sources(root: Path = ROOT) -> dict[str, str]:
    """Return the text of every module of the package by its path from the root."""
    files = [path for room in ROOMS for path in (root / room).rglob("*.py")] + [root / name for name in ROOT_MODULES]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in sorted(files)}


SOURCES = read_sources()


def module_of(path: str) -> str:
    """Return the dotted name of a file inside the package; "" for its root."""
    return path.removesuffix(".py").removesuffix("__init__").rstrip("/").replace("/", ".")


def imports_of(path: str, text: str, known: set[str]) -> list[tuple[bool, str]]:
    """Return (inside the package, dotted name) of every import of a file, also those inside functions and for types."""
    package = path.split("/")[:-1]
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(False, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append((False, node.module or ""))
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
            names = {f"{base}.{alias.name}".strip(".") for alias in node.names}
            found += [(True, name if name in known else base) for name in sorted(names)]
    return found


def room_of(path: str) -> str:
    parts = path.split("/")
    return parts[0] if len(parts) > 1 else path.removesuffix(".py").removesuffix("__init__")


def inner_imports(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the modules of the package that each module imports."""
    known = {module_of(path) for path in sources}
    return {
        module_of(path): {name for inside, name in imports_of(path, text, known) if inside} - {module_of(path)}
        for path, text in sources.items()
    }


def find_circle(sources: Mapping[str, str]) -> list[str]:
    """Return modules that import each other in a circle; [] where there is none."""
    try:
        TopologicalSorter(inner_imports(sources)).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def floor_of(module: str, floors: Mapping[str, int]) -> str:
    """Return the name under which a module stands on a floor: the longest that begins its own; else its room's part."""
    parts = module.split(".")
    names = [".".join(parts[:count]) for count in (3, 2)]
    return next((name for name in names if name in floors), names[-1])


def find_upward(sources: Mapping[str, str]) -> list[str]:
    """Return the imports inside a big room that do not go down."""
    floors = {
        f"{room}.{name}": number
        for room, floors in FLOORS.items()
        for number, floor in enumerate(floors)
        for name in floor.split()
    }
    wrong = []
    for module, imported in inner_imports(sources).items():
        own = floor_of(module, floors)
        for name in imported if own in floors else ():
            other = floor_of(name, floors)
            same_room = other.split(".")[0] == own.split(".")[0]
            if other != own and same_room and floors[other] >= floors[own]:
                wrong.append(f"{module} -> {name}")
    return wrong


def find_full(sources: Mapping[str, str]) -> list[str]:
    """Return the folders that hold more than MOST_MODULES modules."""
    held = Counter(path.rpartition("/")[0] for path in sources if not path.endswith("__init__.py"))
    return [folder for folder, count in held.items() if count > MOST_MODULES]


@pytest.mark.parametrize("path", SOURCES)
def test_a_module_imports_only_what_its_room_may(path: str) -> None:
    room = room_of(path)
    known = {module_of(one) for one in SOURCES}
    for inside, name in imports_of(path, SOURCES[path], known):
        top = name.split(".")[0]
        if inside:
            assert any(f"{name}.".startswith(f"{place}.") for place in INSIDE[room]), f"{path} imports {name}"
        elif top in ONLY_IN and room == "engine":
            assert path == ONLY_IN[top], f"{path} imports {top}"
        elif top not in sys.stdlib_module_names:
            assert top in OUTSIDE[room] | ONLY_IN.keys(), f"{path} imports {top}"


def test_nobody_imports_the_command_line() -> None:
    upward = {
        module
        for module, names in inner_imports(SOURCES).items()
        if any(f"{name}.".startswith("cli.") for name in names)
    }
    assert {module for module in upward if not f"{module}.".startswith("cli.")} == {"__main__"}


def test_every_folder_says_what_it_is_and_imports_nothing() -> None:
    for path, text in SOURCES.items():
        if path.endswith("/__init__.py") and path != "cli/__init__.py":  # the entry point of the program
            (only,) = ast.parse(text).body
            assert isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant), path
    folders = {path.rpartition("/")[0] for path in SOURCES}
    assert {folder for folder in folders if f"{folder}/__init__.py".lstrip("/") not in SOURCES} == set()


def test_imports_of_the_big_rooms_go_down() -> None:
    assert find_upward(SOURCES) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert find_circle(SOURCES) == []


def test_no_folder_holds_more_than_a_look_takes_in() -> None:
    assert find_full(SOURCES) == []


def test_each_module_with_functions_has_a_test_file_at_its_path() -> None:
    with_functions = {
        path
        for path, text in SOURCES.items()
        if "/" in path and not path.endswith(("__init__.py", "__main__.py"))
        if any(isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(text)))
    }
    untested = {
        path for path in with_functions if not (ROOT / "tests" / Path(path).parent / f"test_{Path(path).name}").exists()
    }
    assert untested == WITHOUT_TEST_FILE


@pytest.mark.parametrize(
    ("find", "planted"),
    [
        (find_upward, {"engine/system/planted.py": "from ..run.sources import Source\n"}),
        (find_upward, {"bench/numbers/planted.py": "def f() -> None:\n    from ..report import page\n"}),
        (find_upward, {"bench/drift/planted.py": "from ..latency.turns import Plan\n"}),
        (find_upward, {"export/families/planted.py": "from ..checkpoint.recognise import recognise\n"}),
        (find_circle, {"export/a.py": "from .b import x\n", "export/b.py": "def f() -> None:\n    from . import a\n"}),
        (find_circle, {"cli/a.py": "from .show.b import x\n", "cli/show/b.py": "from .. import a\n"}),
        (find_full, {f"engine/trt/planted_{number}.py": "" for number in range(MOST_MODULES)}),
    ],
    ids=["up", "up in a function", "across a floor", "2 floors", "circle", "circle between folders", "twelfth module"],
)  # fmt: skip
def test_the_law_notices_what_is_planted(
    find: Callable[[Mapping[str, str]], list[str]], planted: dict[str, str]
) -> None:
    assert find({**SOURCES, **planted}) != []


def test_importing_depthrt_loads_numpy_at_most() -> None:
    heavy = ("torch", "onnx", "onnxruntime", "cv2", "PIL", "av", "rich", "click", "transformers", "fastapi", "uvicorn")
    code = f"import depthrt, sys; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_asking_for_help_loads_no_heavy_package() -> None:
    heavy = ("torch", "onnx", "onnxruntime", "cv2", "av", "numpy", "transformers", "fastapi", "uvicorn")
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

    assert dir(depthrt) == sorted(depthrt.__all__), "completion offers them, and nothing else, before their first use"
    for name in depthrt.__all__:
        assert getattr(depthrt, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        depthrt.nonsense  # noqa: B018
