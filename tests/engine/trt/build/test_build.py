from __future__ import annotations

import os
import shlex
import signal
import sys
from dataclasses import replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from made import CONTRACT, canary_of_zeros, make_contract
from made_engine import STATIC, write_mean
from made_onnx import sealed_again
from random_checkpoint import VITS
from tiny_model import TinyModel, export_tiny

import depthrt
from depthrt import BackendUnavailable, BuildError, ContractError, DepthrtError, InputError, ModelFileError
from depthrt.cli import main
from depthrt.engine.modelfile.adoption import Adoption
from depthrt.engine.modelfile.contract import Contract, read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.terms import INPUT
from depthrt.engine.trt import library as trt
from depthrt.engine.trt.build.build import _configure, build_engine, check_request
from depthrt.engine.trt.build_options import BuildOptions, Profile, choose_profile
from depthrt.engine.trt.plan_file import PlanTensor, read_plan_file, read_plan_header

needs_rtx = pytest.mark.skipif(
    find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel for this platform"
)
DYNAMIC = make_contract()
V1, V2 = "depth-anything-v1", "depth-anything-v2"


@pytest.fixture(scope="session")
def tiny_v1_half(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Depth Anything V1, static 70x98, in float16."""
    return export_tiny(tmp_path_factory.mktemp("v1"), family=V1, size=(70, 98), precision="fp16")


@pytest.fixture(scope="session")
def tiny_metric_half(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Depth Anything V2, metric up to 20 m, static 70x98, in float16."""
    return export_tiny(tmp_path_factory.mktemp("metric"), max_depth_m=20.0, size=(70, 98), precision="fp16")


@pytest.fixture(scope="session")
def vits_dynamic_half(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """Depth Anything V2 Small with random weights, dynamic, short side 126 px, in float16."""
    return export_tiny(tmp_path_factory.mktemp("vits"), architecture=VITS, size=126, precision="fp16")


@pytest.fixture
def mean(tmp_path: Path) -> Path:
    return write_mean(tmp_path / "mean.onnx")


@needs_rtx
@pytest.mark.parametrize(
    ("name", "model", "precision"),
    [
        ("tiny_static", f"{V2}-vit64x4", "fp32"),
        ("tiny_half", f"{V2}-vit64x4", "fp16"),
        ("tiny_v1_half", f"{V1}-vit64x4", "fp16"),
        ("tiny_metric_half", f"{V2}-vit64x4-metric-20m", "fp16"),
        ("vits_half", f"{V2}-vits", "fp16"),
        ("default_half", "depthrt-conv384x9", "fp16"),
    ],
)
def test_a_static_file_of_every_family_becomes_an_engine_whose_header_is_right(
    name: str, model: str, precision: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    tiny: TinyModel = request.getfixturevalue(name)
    built = build_engine(tiny.onnx, tmp_path / "model.engine")
    header = built.header
    assert header == read_plan_header(built.path)
    assert header.contract == read_contract(tiny.onnx)
    assert (header.contract.model, header.precision) == (model, precision)
    height, width = header.contract.size.base_px
    shape = (1, 3, height, width)
    assert header.tensors == (
        PlanTensor("image", "input", "float32", shape, (Profile(shape, shape, shape),)),
        PlanTensor("depth", "output", "float32", (1, height, width)),
    )
    assert (header.flavour, header.tensorrt_version) == ("tensorrt-rtx", trt.import_tensorrt().version)
    assert header.runs_on == "portable, compute capability 8.0 and later"
    assert header.onnx_sha256 == sha256(tiny.onnx.read_bytes()).hexdigest()
    plan = read_plan_file(built.path).plan
    assert len(plan) == header.plan_bytes > 1_000_000 and header.plan_sha256 == sha256(plan).hexdigest()
    assert built.file_mib * 2**20 == built.path.stat().st_size and built.seconds > 0
    assert header.producer == f"depthrt {depthrt.__version__}"


@needs_rtx
def test_a_dynamic_file_becomes_an_engine_for_a_range_of_sizes_and_batches(tiny: TinyModel, tmp_path: Path) -> None:
    options = BuildOptions(min_px=(126, 126), opt_px=(126, 168), max_px=(168, 224), batch=(1, 2, 4))
    header = build_engine(tiny.onnx, tmp_path / "model.engine", options=options).header
    profile = Profile((1, 3, 126, 126), (2, 3, 126, 168), (4, 3, 168, 224))
    assert header.tensors == (
        PlanTensor("image", "input", "float32", (-1, 3, -1, -1), (profile,)),
        PlanTensor("depth", "output", "float32", (-1, -1, -1)),
    )
    assert header.options == options and header.contract.batch is None


@needs_rtx
@pytest.mark.parametrize(
    ("options", "profile"),
    [
        pytest.param(
            BuildOptions(opt_px=(126, 168), batch=(1, 2, 4)),
            Profile((1, 3, 126, 168), (2, 3, 126, 168), (4, 3, 126, 168)),
            id="batch",
        ),
        pytest.param(
            BuildOptions(min_px=(126, 126), opt_px=(126, 168), max_px=(168, 224)),
            Profile((1, 3, 126, 126), (1, 3, 126, 168), (1, 3, 168, 224)),
            id="size",
        ),
    ],
)
def test_vits_in_fp16_becomes_an_engine_for_a_range(
    vits_dynamic_half: TinyModel, tmp_path: Path, options: BuildOptions, profile: Profile
) -> None:
    built = build_engine(vits_dynamic_half.onnx, tmp_path / "model.engine", options=options)
    header = built.header
    assert header == read_plan_header(built.path)
    assert (header.contract.model, header.precision, header.options) == (f"{V2}-vits", "fp16", options)
    assert header.tensors == (
        PlanTensor("image", "input", "float32", (-1, 3, -1, -1), (profile,)),
        PlanTensor("depth", "output", "float32", (-1, -1, -1)),
    )


@needs_rtx
def test_building_again_gives_the_same_plan(tiny_half: TinyModel, tmp_path: Path) -> None:
    hashes = {build_engine(tiny_half.onnx, tmp_path / "a.engine").header.plan_sha256 for _ in range(2)}
    assert len(hashes) == 1


@needs_rtx
def test_an_engine_can_be_for_named_gpus_alone(mean: Path, tmp_path: Path) -> None:
    options = BuildOptions(compute_capabilities=("8.9", "12.0"))
    header = build_engine(mean, tmp_path / "model.engine", options=options).header
    assert header.compute_capabilities == ("8.9", "12.0")
    assert header.plan_sha256 != build_engine(mean, tmp_path / "portable.engine").header.plan_sha256


@needs_rtx
def test_each_step_is_told(mean: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    build_engine(mean, tmp_path / "model.engine", on_step=lambda *step: told.append(step))
    assert told[0] == ("read the ONNX file", 0, 1)
    assert len({title for title, _, _ in told}) > 2
    assert all(0 <= done <= wanted for _, done, wanted in told)


@pytest.mark.parametrize(
    ("contract", "options", "message"),
    [
        (STATIC, BuildOptions(opt_px=(28, 42)), "static, 28x28 and one image a batch.*depthrt export made.pth.* 28"),
        (STATIC, BuildOptions(batch=(1, 1, 4)), "static, 28x28"),
        (DYNAMIC, BuildOptions(opt_px=(500, 518)), "size 500x518 found, expected multiples .* 14 px; try 504x518"),
        (DYNAMIC, BuildOptions(min_px=(0, 14)), "size 0x14 found.*try 14x14"),
        (DYNAMIC, BuildOptions(min_px=(28, 28), opt_px=(14, 28)), "sizes 28x28, 14x28, 14x28 found, expected min"),
        (DYNAMIC, BuildOptions(opt_px=(28, 28), batch=(0, 1, 1)), r"batch \(0, 1, 1\) found, expected 1 <= min <= opt"),
        (DYNAMIC, BuildOptions(opt_px=(28, 28), batch=(1, 4, 2)), r"batch \(1, 4, 2\) found"),
        (STATIC, BuildOptions(workspace_mib=0), "workspace 0 MiB found, expected 1 or more"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_are_refused_without_tensorrt(
    contract: Contract, options: BuildOptions, message: str, tmp_path: Path
) -> None:
    path = write_mean(tmp_path / "mean.onnx", contract)
    with pytest.raises(InputError, match=message):
        build_engine(path, tmp_path / "model.engine", options=options)
    assert list(tmp_path.iterdir()) == [path]


def test_another_precision_names_the_export_that_makes_it(tmp_path: Path) -> None:
    rule, canary = SizeRule((28, 42), 14, "letterbox"), canary_of_zeros((28, 42))
    metric = replace(CONTRACT, kind="metric", max_depth_m=20.0, size=rule, batch=1, canary=canary)
    path = write_mean(tmp_path / "mean.onnx", metric)
    with pytest.raises(
        InputError,
        match=r"is fp32, precision fp16-safe was asked for.*depthrt export made.pth -o model-fp16-safe.onnx "
        "--family depth-anything-v2 --kind metric --max-depth 20 --size 28x42 --precision fp16-safe",
    ):
        build_engine(path, tmp_path / "model.engine", precision="fp16-safe")


def test_the_export_that_an_error_names_leaves_the_mirror_image_out_again(tmp_path: Path) -> None:
    zoe = replace(STATIC, family="zoedepth", encoder="n", kind="metric")
    for mirrored, ending in ((True, "--kind metric --size"), (False, "--kind metric --no-mirror --size")):
        path = write_mean(tmp_path / "mean.onnx", replace(zoe, mirrored=mirrored))
        with pytest.raises(InputError, match=f"-o model-fp16.onnx --family zoedepth {ending}"):
            build_engine(path, tmp_path / "model.engine", precision="fp16")


def test_what_is_no_onnx_file_of_depthrt_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"does not exist; give the \.onnx file"):
        build_engine(tmp_path / "nothing.onnx", tmp_path / "model.engine")
    (tmp_path / "noise.onnx").write_bytes(b"\x00noise")
    with pytest.raises(ModelFileError, match=r"not a whole ONNX file"):
        build_engine(tmp_path / "noise.onnx", tmp_path / "model.engine")
    (tmp_path / "tiny.pth").write_bytes(b"x")
    with pytest.raises(ModelFileError, match=r"is a checkpoint; make a model file of it first: depthrt export .*tiny"):
        build_engine(tmp_path / "tiny.pth", tmp_path / "model.engine")
    (tmp_path / "other.engine").write_bytes(b"x")
    with pytest.raises(ModelFileError, match=r"is a TensorRT engine; give the \.onnx file that it was built from"):
        build_engine(tmp_path / "other.engine", tmp_path / "model.engine")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mean.onnx", r"mean\.onnx found as the file to write, expected a name that ends in \.engine"),
        ("model", r"model found as the file to write"),
        ("link.engine", r"link\.engine is .*mean\.onnx, which the file is made from"),
        ("nowhere/model.engine", r"the folder .*nowhere does not exist"),
    ],
)
def test_a_place_where_no_engine_can_come_is_refused_before_the_work(
    mean: Path, tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "link.engine").symlink_to(mean)
    content, told = mean.read_bytes(), []
    with pytest.raises(InputError, match=message):
        build_engine(mean, tmp_path / name, on_step=lambda *step: told.append(step))
    assert told == [] and mean.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.engine", "mean.onnx"]


def test_an_int8_file_is_refused_with_the_export_that_makes_another(tmp_path: Path) -> None:
    path = write_mean(tmp_path / "mean.onnx", replace(STATIC, precision="int8"))
    with pytest.raises(BuildError, match=r"is int8, which is for CPUs; export fp16: depthrt export made\.pth .* fp16$"):
        build_engine(path, tmp_path / "model.engine")


def test_of_an_adopted_file_an_error_names_what_to_adopt(tmp_path: Path) -> None:
    adopted = replace(STATIC, adopted=Adoption("org/name@0123", STATIC.source_sha256), source_name="org/name@0123")
    path = write_mean(tmp_path / "mean.onnx", adopted)
    wanted = r"make another: depthrt adopt, of a file like org/name@0123 in fp16$"
    with pytest.raises(InputError, match=wanted):
        build_engine(path, tmp_path / "model.engine", precision="fp16")
    with pytest.raises(InputError, match=r"no other sizes can be built; adopt a dynamic export of org/name@0123$"):
        choose_profile(adopted, BuildOptions(batch=(1, 2, 4)))


def test_the_export_that_an_error_names_is_one_that_the_verb_takes(tmp_path: Path) -> None:
    named = replace(STATIC, source_name="my net.pth")
    for contract in (named, replace(named, family="depthrt")):
        path = write_mean(tmp_path / "mean.onnx", contract)
        with pytest.raises(InputError) as caught:
            build_engine(path, tmp_path / "model.engine", precision="fp16")
        command = shlex.split(str(caught.value).partition("make another: ")[2])
        assert command[:2] == ["depthrt", "export"]
        found = CliRunner().invoke(main, command[1:])
        assert found.exit_code == 1 and "error: my net.pth" in found.stderr  # it is not there; the rest is right


@needs_rtx
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (BuildOptions(compute_capabilities=("8.9", "9.0")), InputError, "capability 9.0; it builds for 7.5, 8.0, 8.6"),
        (BuildOptions(workspace_mib=1), BuildError, "TensorRT-RTX .* refuses .*workspace"),
    ],
)  # fmt: skip
def test_what_tensorrt_refuses_is_one_line_with_its_reason(
    tiny_static: TinyModel, tmp_path: Path, options: BuildOptions, error: type[DepthrtError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        build_engine(tiny_static.onnx, tmp_path / "model.engine", options=options)
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


@needs_rtx
@pytest.mark.parametrize("options", [BuildOptions(), BuildOptions(tf32=True), BuildOptions(workspace_mib=3)])
def test_tensorrt_is_told_the_limit_of_its_memory_and_whether_products_are_rounded(
    options: BuildOptions, mean: Path
) -> None:
    tensorrt = trt.import_tensorrt()
    builder = tensorrt.module.Builder(tensorrt.logger)
    network = builder.create_network(tensorrt.network_flags)
    network.add_input(INPUT, tensorrt.module.DataType.FLOAT, (1, 3, 70, 98))
    config = _configure(tensorrt, builder, network, check_request(open_model_file(mean), options=options))
    assert config.get_flag(tensorrt.module.BuilderFlag.TF32) == options.tf32
    workspace_mib = config.get_memory_pool_limit(tensorrt.module.MemoryPoolType.WORKSPACE) / 2**20
    assert workspace_mib == options.workspace_mib or (options.workspace_mib is None and workspace_mib > 1024)


@needs_rtx
def test_an_operator_that_the_parser_lacks_is_named(mean: Path, tmp_path: Path) -> None:
    mean.write_bytes(mean.read_bytes().replace(b"ReduceMean", b"ReduceMood"))
    sealed_again(mean)
    with pytest.raises(BuildError, match=r"cannot read .*ReduceMood") as caught:
        build_engine(mean, tmp_path / "model.engine")
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == [mean]


@needs_rtx
def test_a_parser_without_the_fused_attention_is_told_the_plain_form(tiny_static: TinyModel, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(tiny_static.onnx.read_bytes().replace(b"com.microsoft", b"org.microsoft"))
    sealed_again(broken)
    with pytest.raises(BuildError, match=r"lacks the fused attention, so use: depthrt export .* --attention plain"):
        build_engine(broken, tmp_path / "model.engine")


@needs_rtx
def test_a_graph_with_other_borders_is_refused(tmp_path: Path) -> None:
    path = write_mean(tmp_path / "mean.onnx", image="picture")
    with pytest.raises(ContractError, match=r"has tensors .*picture.* expected float32 image and depth"):
        build_engine(path, tmp_path / "model.engine")


@needs_rtx
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal to send to oneself")
def test_ctrl_c_ends_the_build_and_leaves_what_was_there(tiny_static: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "model.engine"
    path.write_bytes(b"what was there")

    def interrupt(title: str, done: int, wanted: int) -> None:
        if title == "Optimizing graph" and done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        build_engine(tiny_static.onnx, path, on_step=interrupt)
    assert path.read_bytes() == b"what was there" and list(tmp_path.iterdir()) == [path]


@needs_rtx
def test_an_error_of_the_caller_ends_the_build_and_comes_back(mean: Path, tmp_path: Path) -> None:
    def fail(title: str, done: int, wanted: int) -> None:
        if title != "read the ONNX file":
            raise RuntimeError("the window is gone")

    with pytest.raises(RuntimeError, match=r"the window is gone"):
        build_engine(mean, tmp_path / "model.engine", on_step=fail)
    assert list(tmp_path.iterdir()) == [mean]


def test_without_tensorrt_the_extra_is_named(mean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trt, "MODULES", {"no_such_tensorrt": "tensorrt"})
    monkeypatch.setattr("depthrt.engine.trt.build.build.import_tensorrt", trt.import_tensorrt.__wrapped__)
    with pytest.raises(BackendUnavailable, match=r"TensorRT is not installed; .*pip install 'depthrt\[gpu\]'"):
        build_engine(mean, tmp_path / "model.engine")
