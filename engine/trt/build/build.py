"""Builds a TensorRT engine file of an ONNX file of depthrt, which decides the types and so the precision."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from ...cuda.driver.driver import Gpu
from ...errors import BuildError, ContractError, DepthrtError, InputError
from ...modelfile.contract import ENGINE_SUFFIX, Contract
from ...modelfile.model_file import ModelFile, open_model_file
from ...modelfile.seal import check_whole
from ...runners.calls import one_line
from ...system.files import atomic_path, check_output, file_sha256
from ...system.records import check_record
from ...terms import INPUT, OnStep, Precision
from ...version import __version__
from ..build_options import DEFAULT, BuildOptions, Profile, choose_profile
from ..library import Message, TensorRT, import_tensorrt, tail
from ..plan_file import PlanHeader, PlanTensor, write_plan_file
from .fitting_canary import with_fitting_canary
from .progress import new_monitor, run_interruptible
from .timing_cache import load_timing_cache, save_timing_cache

_RECORDED = "depthrt"  # the family whose checkpoints record family and kind, so that export needs no flags
_MIRRORED = "zoedepth"  # the family whose export has a flag to leave the mirror image out


@dataclass(frozen=True, slots=True)
class Request:
    """A build that was checked as far as possible without TensorRT."""

    file: ModelFile
    profile: Profile
    options: BuildOptions


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan in TensorRT's memory, with its header and TensorRT's warnings."""

    header: PlanHeader
    plan: memoryview
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Built:
    """Result of a build.

    Args:
        path: The engine file.
        header: As it stands in the file.
        file_mib: Size of the file.
        seconds: Time of the whole build.
        warnings: Of TensorRT.
    """

    path: Path
    header: PlanHeader
    file_mib: float
    seconds: float
    warnings: tuple[str, ...]


def build_engine(
    onnx_path: str | Path,
    out_path: str | Path,
    *,
    options: BuildOptions = DEFAULT,
    precision: Precision | None = None,
    on_step: OnStep = lambda title, done, wanted: None,
) -> Built:
    """Build an engine file; blocks for seconds to minutes. Nothing is left at `out_path` unless it is whole.

    Ctrl-C in the calling thread cancels the build.

    Args:
        onnx_path: A file that `depthrt export` wrote.
        out_path: The `.engine` file.
        options: Input sizes, GPUs and memory.
        precision: Refuse the file unless it has this precision; None takes any.
        on_step: Called with (phase, done, wanted), from another thread.

    Raises:
        ModelFileError, ContractError: depthrt did not write the ONNX file, or it was changed since.
        InputError: Options do not fit the file, another precision was asked for, or no file can be written to
            `out_path`, which must end in .engine.
        BackendUnavailable: TensorRT is not installed, or needs a GPU and finds none.
        BuildError: The file is int8, or TensorRT refused; the message ends with the tail of its log.
    """
    check_output(out_path, suffix=ENGINE_SUFFIX, source=onnx_path)
    file = open_model_file(onnx_path)
    request = check_request(file, options=options, precision=precision)
    check_whole(file.path, file.contract)
    return build_request(request, out_path, on_step=on_step)


def build_request(request: Request, out_path: str | Path, *, on_step: OnStep) -> Built:
    """Build what check_request checked; see build_engine."""
    start = perf_counter()
    with atomic_path(out_path) as unfinished:
        compiled = compile_request(request, on_step=on_step)
        write_plan_file(unfinished, compiled.header, compiled.plan)
        file_mib = unfinished.stat().st_size / 2**20
    return Built(Path(out_path), compiled.header, file_mib, perf_counter() - start, compiled.warnings)


def compile_request(request: Request, *, on_step: OnStep) -> Compiled:
    """Build what check_request checked, in memory; for the errors see build_engine."""
    trt = import_tensorrt()
    of_caller: list[BaseException] = []

    def tell(title: str, done: int, wanted: int) -> None:
        try:
            on_step(title, done, wanted)
        except BaseException as error:
            of_caller.append(error)
            raise

    with trt.collected() as messages:
        try:
            header, plan = _compile(trt, request, messages, tell)
        except (DepthrtError, OSError):
            raise
        except Exception as error:  # TensorRT's bindings raise RuntimeError, TypeError and MemoryError
            if error in of_caller:
                raise
            raise BuildError(f"{trt.name} fails: {one_line(error)}; its log ends: {tail(messages)}") from error
    warnings = tuple(message.text for message in messages if message.severity == "WARNING")
    return Compiled(header, plan, warnings)


def check_request(
    file: ModelFile,
    *,
    options: BuildOptions = DEFAULT,
    precision: Precision | None = None,
) -> Request:
    """Check a build of an ONNX file before any TensorRT is imported; for the arguments and errors see build_engine."""
    path, contract = file.path, file.contract
    if precision is not None and precision != contract.precision:
        raise InputError(
            f"{path} is {contract.precision}, precision {precision} was asked for; TensorRT takes the types of the "
            f"file, so make another: {_export_command(contract, precision)}"
        )
    if contract.precision == "int8":
        raise BuildError(f"{path} is int8, which is for CPUs; export fp16: {_export_command(contract, 'fp16')}")
    if options.workspace_mib is not None and options.workspace_mib < 1:
        raise InputError(f"workspace {options.workspace_mib} MiB found, expected 1 or more")
    profile = choose_profile(contract, options)
    check_record(options, name="options", remedy="build with others", failure=InputError)
    return Request(file, profile, options)


def _compile(
    trt: TensorRT, request: Request, messages: list[Message], on_step: OnStep
) -> tuple[PlanHeader, memoryview]:
    """Return the header and the plan, whose memory TensorRT holds as long as the view exists."""
    # Weights beside a file of 2 GiB are not hashed: its contract has the hash of their checkpoint.
    gpu, onnx_sha256 = trt.check_driver(), file_sha256(request.file.path)
    capabilities = _capabilities(trt, request.options, gpu)
    builder = trt.module.Builder(trt.logger)
    network = builder.create_network(trt.network_flags)
    on_step("read the ONNX file", 0, 1)
    _parse(trt, network, request)
    config = _configure(trt, builder, network, request)
    timing = load_timing_cache(trt, config, gpu)
    monitor = new_monitor(trt, on_step)
    config.progress_monitor = monitor
    plan = run_interruptible(lambda: builder.build_serialized_network(network, config), monitor.cancel)
    if monitor.error is not None:
        raise monitor.error
    if plan is None:
        raise BuildError(f"{trt.name} refuses {request.file.path}: {tail(messages)}")
    save_timing_cache(timing, config)
    on_step("answer the canary in ONNX Runtime", 0, 1)
    view = memoryview(plan)
    header = PlanHeader(
        contract=with_fitting_canary(request.file, request.profile),
        tensors=_tensors(trt, network, request.profile),
        flavour=trt.flavour,
        tensorrt_version=trt.version,
        compute_capabilities=capabilities,
        gpu=gpu.name if gpu else "",
        onnx_sha256=onnx_sha256,
        options=request.options,
        plan_bytes=view.nbytes,
        plan_sha256=hashlib.sha256(view).hexdigest(),
        producer=f"depthrt {__version__}",
    )
    return header, view


def _parse(trt: TensorRT, network: Any, request: Request) -> None:  # noqa: ANN401 (TensorRT has no types)
    """Fill a network from the ONNX file; check that its inputs and outputs are those of a file of depthrt."""
    parser = trt.module.OnnxParser(network, trt.logger)
    if not parser.parse_from_file(str(request.file.path)):
        errors = [parser.get_error(index) for index in range(parser.num_errors)]
        reason = " | ".join(f"{error.node_operator()} {error.node_name()}: {error.desc()}" for error in errors)
        reason = " ".join(reason.split())
        hint = ""
        if request.file.contract.attention == "fused" and "MultiHeadAttention" in reason:
            command = _export_command(request.file.contract, request.file.contract.precision, "--attention", "plain")
            hint = f"; this parser lacks the fused attention, so use: {command}"
        raise BuildError(f"{trt.name} cannot read {request.file.path}: {reason}{hint}")
    found = {tensor.name: tensor.dtype for tensor in _borders(network)}
    names = (INPUT, *request.file.contract.outputs)
    if found != dict.fromkeys(names, trt.module.DataType.FLOAT):
        raise ContractError(
            f"{request.file.path} has tensors {found}, expected float32 {' and '.join(names)}; export it again"
        )


def _configure(trt: TensorRT, builder: Any, network: Any, request: Request) -> Any:  # noqa: ANN401
    """Return a builder configuration with the request's sizes, GPUs and memory."""
    config, options = builder.create_builder_config(), request.options
    if options.workspace_mib is not None:
        config.set_memory_pool_limit(trt.module.MemoryPoolType.WORKSPACE, options.workspace_mib << 20)
    if not options.tf32:
        config.clear_flag(trt.module.BuilderFlag.TF32)  # it is on by default
    if -1 in tuple(network.get_input(0).shape):
        profile, asked = builder.create_optimization_profile(), request.profile
        profile.set_shape(INPUT, asked.min, asked.opt, asked.max)
        # set_shape accepts a wrong name, which shows here; add_optimization_profile answers -1 to a wrong profile.
        if [tuple(shape) for shape in profile.get_shape(INPUT)] != [asked.min, asked.opt, asked.max]:
            raise BuildError(f"{trt.name} did not take the sizes {asked} for {INPUT}")
        if config.add_optimization_profile(profile) < 0:
            raise BuildError(f"{trt.name} refuses the sizes {asked}; export the model again or choose other sizes")
    if trt.compute_capabilities and options.compute_capabilities:
        _set_capabilities(trt, config, options.compute_capabilities)
    return config


def _capabilities(trt: TensorRT, options: BuildOptions, gpu: Gpu | None) -> tuple[str, ...]:
    """Return the compute capabilities of the GPUs that the engine will run on; () if it is portable."""
    allowed = trt.compute_capabilities or ((gpu.compute_capability,) if gpu else ())
    refused = [capability for capability in options.compute_capabilities if capability not in allowed]
    if refused:
        raise InputError(
            f"{trt.name} cannot build for compute capability {', '.join(refused)}; it builds for {', '.join(allowed)}"
        )
    return options.compute_capabilities or (() if trt.compute_capabilities else allowed)


def _set_capabilities(trt: TensorRT, config: Any, capabilities: tuple[str, ...]) -> None:  # noqa: ANN401
    config.num_compute_capabilities = len(capabilities)
    for index, capability in enumerate(capabilities):
        value = getattr(trt.module.ComputeCapability, f"SM{capability.replace('.', '')}")
        if not config.set_compute_capability(value, index):  # the build would fail with "bad optional access"
            raise BuildError(
                f"{trt.name} refuses compute capability {capability} on this system; "
                f"it names {', '.join(trt.compute_capabilities)}"
            )


def _tensors(trt: TensorRT, network: Any, profile: Profile) -> tuple[PlanTensor, ...]:  # noqa: ANN401
    tensors = []
    for tensor in _borders(network):
        dtype = trt.module.nptype(tensor.dtype).__name__
        if tensor.is_network_input:
            tensors.append(PlanTensor(tensor.name, "input", dtype, tuple(tensor.shape), (profile,)))
        else:
            tensors.append(PlanTensor(tensor.name, "output", dtype, tuple(tensor.shape)))
    return tuple(tensors)


def _borders(network: Any) -> list[Any]:  # noqa: ANN401
    inputs = [network.get_input(index) for index in range(network.num_inputs)]
    return inputs + [network.get_output(index) for index in range(network.num_outputs)]


def _export_command(contract: Contract, precision: Precision, *more: str) -> str:
    """Return the command that makes a contract's model in another precision; of an adopted file, what to adopt."""
    if contract.adopted is not None:
        wanted = " with plain attention" if more else ""
        return f"depthrt adopt, of a file like {contract.source_name} in {precision}{wanted}"
    height, width = contract.size.base_px
    size = f"{height}x{width}" if contract.size.static else f"{min(height, width)}"
    command = ["depthrt", "export", contract.source_name, "-o", f"model-{precision}.onnx"]
    if contract.family != _RECORDED:
        command += ["--family", contract.family, "--kind", contract.kind]
        command += [] if contract.max_depth_m is None else ["--max-depth", f"{contract.max_depth_m:g}"]
    if contract.family == _MIRRORED and not contract.mirrored:
        command += ["--no-mirror"]
    return shlex.join([*command, "--size", size, "--precision", precision, *more])
