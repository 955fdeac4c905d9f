"""The snippets of docs/robots.md run, its commands parse, and the node for ROS 2 converts images and depth rightly.

Nothing of ROS is installed: the node runs on stand-ins for rclpy, with messages of the types that bags have. `make
check` checks its types against stubs, which have the fields of the messages.
"""

from __future__ import annotations

import ast
import re
import shlex
import sys
from array import array
from collections.abc import Callable
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_bags import header, image_message, picture
from made_depth import make_depth
from made_floor import SIZE_PX
from made_floor_bag import write_floor_bag, write_floor_model
from run_verb import parse, run

import depthrt
from depthrt.robots.messages.depth_image import depth_image
from depthrt.robots.messages.pictures import picture_of
from depthrt.robots.messages.types import Header, Image, Message, Time, encode, typestore

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "robots.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE, flags=re.DOTALL)
COMMANDS = [
    line.split("#")[0].strip()
    for language, block in BLOCKS
    if language == "sh"
    for line in block.splitlines()
    if line.startswith("depthrt ")
]
STUBS = ROOT / "tests" / "support" / "ros"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the guide's user has: a bag, and a metric model."""
    write_floor_bag(tmp_path / "drive")
    write_floor_model(tmp_path / "metric.onnx")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_parse(command: str) -> None:
    parse(command)


def test_the_commands_for_bags_and_the_python_snippets_run(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in COMMANDS:
        _, verb, *arguments = shlex.split(command)
        if verb in ("bag", "info"):
            assert run(verb, *arguments).exit_code == 0, command
    frames = [picture(number, *SIZE_PX) for number in range(3)]
    monkeypatch.setattr(depthrt, "LatestFrame", lambda *_, **__: LATEST(iter(frames)), raising=False)
    for language, block in BLOCKS:
        if language == "python":
            exec(compile(block, "docs/robots.md", "exec"), {})


LATEST = depthrt.LatestFrame


def test_the_table_of_the_gate_is_there() -> None:
    assert "| camera height, LOW, depth |" in GUIDE, "write it: python docs/gate_table.py --write"


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The node's module on stand-ins for rclpy; its messages are those of the bags."""
    zero = {"height": 0, "width": 0, "encoding": "", "is_bigendian": 0, "step": 0, "data": array("B")}
    stand_ins: dict[str, dict[str, Any]] = {
        "rclpy": {},
        "rclpy.executors": {"ExternalShutdownException": type("ExternalShutdownException", (Exception,), {})},
        "rclpy.node": {"Node": Node},
        "rclpy.qos": {"QoSProfile": SimpleNamespace, "ReliabilityPolicy": SimpleNamespace(BEST_EFFORT=2)},
        "sensor_msgs.msg": {"Image": lambda **fields: Image(**{**zero, **fields})},
        "std_msgs.msg": {"Header": Header},
    }
    for name, members in stand_ins.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    spec = spec_from_file_location("depth_node", ROOT / "docs" / "depth_node.py")
    assert spec is not None and spec.loader is not None
    found = module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


class Node:
    """What the node asks of rclpy: it keeps what is published."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.published: list[tuple[str, Image]] = []
        self.callbacks: dict[str, Callable[[Image], None]] = {}

    def create_publisher(self, kind: object, topic: str, qos: SimpleNamespace) -> SimpleNamespace:
        assert (qos.depth, qos.reliability) == (1, 2)
        return SimpleNamespace(publish=lambda message: self.published.append((topic, message)))

    def create_subscription(
        self, kind: object, topic: str, callback: Callable[[Image], None], qos: SimpleNamespace
    ) -> None:
        assert (qos.depth, qos.reliability) == (1, 2)
        self.callbacks[topic] = callback


def as_rclpy(message: Image) -> Image:
    """Return a message as rclpy has it: its data is an array of bytes."""
    data: Any = array("B", message.data.tobytes())
    return replace(message, data=data)


@pytest.mark.parametrize("encoding", ["bgr8", "rgb8"])
def test_the_node_reads_images_as_bags_are_read(node: ModuleType, encoding: str) -> None:
    message = image_message(picture(1), encoding, padding=5)
    expected = picture_of(message)
    assert np.array_equal(node.to_bgr(as_rclpy(message)), expected)


def test_the_node_refuses_what_it_does_not_read(node: ModuleType) -> None:
    with pytest.raises(depthrt.InputError, match="encoding mono8 found, expected bgr8 or rgb8"):
        node.to_bgr(as_rclpy(image_message(picture(1)[..., 0], "mono8")))


def test_the_node_writes_depth_as_bags_have_it(node: ModuleType) -> None:
    values = np.random.default_rng(0).uniform(1, 5, (48, 64)).astype(np.float32)
    values[3, 4] = np.nan
    depth = make_depth(values, kind="metric")
    found = node.to_message(depth, header(2))
    assert isinstance(found.data, array) and found.data.typecode == "B"
    found = replace(found, data=np.frombuffer(found.data, np.uint8))
    assert bytes(encode(found)) == bytes(encode(depth_image(depth, header(2))))


def test_the_node_answers_under_the_images_header_and_a_name_of_its_kind(node: ModuleType, tmp_path: Path) -> None:
    with depthrt.load(write_floor_model(tmp_path / "metric.onnx")) as model:
        found = node.DepthNode(model)
        found.callbacks["image_raw"](as_rclpy(image_message(picture(1, *SIZE_PX), "bgr8", number=7)))
        ((topic, message),) = found.published
    assert topic == "depth/image_rect" and message.header == header(7)
    assert (message.height, message.width, message.encoding) == (*SIZE_PX, "32FC1")
    inverse = node.DepthNode(SimpleNamespace(kind="inverse"))
    assert inverse.out.publish(message) is None and inverse.published[0][0] == "inverse_depth"


@pytest.mark.parametrize("kind", [Time, Header, Image])
def test_the_stubs_have_the_fields_of_the_messages(kind: type[Message]) -> None:
    package, _, name = kind.__msgtype__.partition("/msg/")
    tree = ast.parse((STUBS / package / "msg.pyi").read_text(encoding="utf-8"))
    (found,) = (item for item in tree.body if isinstance(item, ast.ClassDef) and item.name == name)
    stub = {
        field.target.id: ast.unparse(field.annotation)
        for field in found.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }
    assert stub == {field: python_type(entry) for field, entry in typestore().fielddefs[kind.__msgtype__][1]}


def python_type(entry: Any) -> str:  # noqa: ANN401 (rosbags nests tuples)
    """Return the Python type that rclpy has for a field."""
    kind, content = int(entry[0]), entry[1]
    if kind in (3, 4):  # a fixed or a free number of elements
        return f"array[{python_type(content[0])}]"
    if kind == 2:
        return str(content.rpartition("/")[2])
    name = content[0] if isinstance(content, tuple) else content
    return {"string": "str", "float32": "float", "float64": "float"}.get(name, "int")
