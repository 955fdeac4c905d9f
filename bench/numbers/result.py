"""The records of a report: frozen data that JSON holds whole, and from which every table and plot is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

from ...engine.terms import Alignment, Crop, Scope
from .limits import Count, NotNegative, Number, Positive

SCHEMA: Literal[1] = 1  # version of the JSON; other versions are refused
Metric = Literal["abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog", "delta1", "delta2", "delta3"]
METRICS: tuple[Metric, ...] = get_args(Metric)
EnergySource = Literal["RAPL package", "NVML"]
StartStep = Literal["imports", "load", "first image", "second image"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine of a run; an unknown fact is an empty string, 0 or an empty tuple.

    Args:
        cpu: Model name.
        cores: Cores that this process may use.
        cpu_features: Instruction sets that matter, such as avx512_bf16 and amx_bf16.
        memory_mib: Of the machine.
        system: Operating system and kernel.
        gpu, driver: Of the first NVIDIA GPU.
        power: What governs clocks and power, such as the scaling governor.
        load: Load average of the last minute before the run.
    """

    cpu: str
    cores: Count
    cpu_features: tuple[str, ...]
    memory_mib: Count
    system: str
    gpu: str
    driver: str
    power: str
    load: NotNegative


@dataclass(frozen=True, slots=True)
class Made:
    """How to make the figures again.

    Args:
        command: As typed.
        commit: Of depthrt's source tree, with "+changes" if files differ; empty outside a source tree.
        versions: Of every package that took part.
        started: ISO 8601, UTC.
        took_s: Of the whole run.
        settings: What the user can choose: rounds, images, sizes.
    """

    command: str
    commit: str
    versions: Mapping[str, str]
    started: str
    took_s: NotNegative
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Latency:
    """Times of one subject in one scope, ms.

    Args:
        scope: "kernel" (the network), "host" (image array to depth array), "file" (file to file) or "rate" (frames
            that arrive at a fixed rate: from arrival to depth).
        samples_ms: In the order measured.
        p50_ms, p90_ms, p95_ms, p99_ms, mean_ms: Of samples_ms.
        warmup: Calls before the times were steady, which are not in samples_ms.
        steady: Whether they became steady before the limit of warm-up calls.
        rounds: Rounds that samples_ms come from, equally many calls in each; 0 for "rate".
        rate_hz: Of the frames; None for the other scopes.
        missed: Frames that were dropped because the subject was busy; None for the other scopes.
        jitter_ms: Standard deviation of the time between two answers; None for the other scopes.
    """

    scope: Scope
    samples_ms: tuple[NotNegative, ...]
    p50_ms: Interval
    p90_ms: Interval
    p95_ms: Interval
    p99_ms: Interval
    mean_ms: Interval
    warmup: Count
    steady: bool
    rounds: Count = 0
    rate_hz: NotNegative | None = None
    missed: Count | None = None
    jitter_ms: NotNegative | None = None


@dataclass(frozen=True, slots=True)
class Throughput:
    """Images a second with several images in flight."""

    batch: Positive
    streams: Positive
    images_per_s: Interval


@dataclass(frozen=True, slots=True)
class MemoryStep:
    """Memory of a process in RAM after one step of its start.

    Args:
        step: The step.
        rss_mib: All of it.
        files_mib: Pages of files within it, which the system can drop: libraries, mapped model files.
    """

    step: StartStep
    rss_mib: NotNegative
    files_mib: NotNegative


@dataclass(frozen=True, slots=True)
class ColdProcess:
    """Figures of one fresh process; fields as in ColdStart and SubjectResult."""

    process_ms: NotNegative
    import_ms: NotNegative
    load_ms: NotNegative
    first_ms: NotNegative
    second_ms: NotNegative
    peak_rss_mib: NotNegative
    vram_mib: NotNegative | None = None


@dataclass(frozen=True, slots=True)
class ColdStart:
    """From no process to depth: medians over several processes.

    Args:
        process_ms: Until Python runs the first line.
        import_ms: Import of depthrt and of the modules that the subject needs.
        load_ms: Load of the model file.
        first_ms, second_ms: Inferences, host to host.
        peak_rss_mib: Of the process.
        processes: Number of processes.
        memory: Step by step; empty if the system does not report it.
        each: The processes in order; empty in older reports.
    """

    process_ms: NotNegative
    import_ms: NotNegative
    load_ms: NotNegative
    first_ms: NotNegative
    second_ms: NotNegative
    peak_rss_mib: NotNegative
    processes: Positive
    memory: tuple[MemoryStep, ...] = ()
    each: tuple[ColdProcess, ...] = ()


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of one inference, host to host.

    Args:
        joules: Per image.
        source: The counter.
    """

    joules: NotNegative
    source: EnergySource


@dataclass(frozen=True, slots=True)
class Band:
    """Drift in a part of the depth range.

    Args:
        low, high: Quantiles of the reference's inverse depth that bound it: 0 is far, 1 is near.
        drift: Mean absolute difference over the reference's 2-98 % range.
        share: Of all pixels.
    """

    low: NotNegative
    high: NotNegative
    drift: Number
    share: NotNegative


@dataclass(frozen=True, slots=True)
class Tile:
    """A place of large drift.

    Args:
        image: Name.
        top_px, left_px, height_px, width_px: In the image.
        drift: Mean over the tile.
    """

    image: str
    top_px: Count
    left_px: Count
    height_px: Positive
    width_px: Positive
    drift: Number


@dataclass(frozen=True, slots=True)
class Drift:
    """Distance of a subject's answers from the reference's on the same pixels; infinite if an answer is not finite.

    Args:
        reference: Name of the subject that it is measured against.
        images: Number of images.
        mean: Mean absolute difference over the reference's 2-98 % range, mean over images.
        p99: The 99th percentile of the absolute difference over the same range, mean over images.
        worst_image: Name of the image with the largest mean.
        worst: Its mean.
        bands: Far to near.
        edge_f1: Agreement of depth edges, 1 is all, mean over images; None if the reference has no edges.
        nonfinite: Number of values that are NaN or infinite, in all images.
        temporal: Mean absolute difference between the subject's and the reference's change from frame to frame, over
            the same range; None if the images are not a video.
        tiles: Of the largest drift, largest first.
    """

    reference: str
    images: Positive
    mean: Number
    p99: Number
    worst_image: str
    worst: Number
    bands: tuple[Band, ...]
    edge_f1: NotNegative | None
    nonfinite: Count
    temporal: Number | None
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class ImageAccuracy:
    """The nine metrics of one image, and the number of judged pixels."""

    image: str
    metrics: Mapping[Metric, NotNegative]
    pixels: Count


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracy of a subject's depth against measured depth.

    Args:
        dataset: Its name.
        alignment: Fit of the prediction before it was judged.
        cap_m: Depth beyond it is not judged; None if the ground truth has no unit.
        crop: Which pixels were judged.
        metrics: Mean over images, by name.
        images: One entry for each image.
    """

    dataset: str
    alignment: Alignment
    cap_m: NotNegative | None
    crop: Crop
    metrics: Mapping[Metric, NotNegative]
    images: tuple[ImageAccuracy, ...]


@dataclass(frozen=True, slots=True)
class SubjectResult:
    """All figures of one subject.

    Args:
        name: Unique in the run; compare matches subjects by it.
        facts: File, model, runner, provider, precision, input size, threads.
        notes: Fallbacks and compromises, one sentence each.
        latency: One entry for each scope that was measured.
        stages_ms: Median of each stage from file to file, in order; empty if it was not measured.
        throughput: By batch and streams.
        speed: How many times as fast as the reference, host to host, over turns in the same rounds; None for the
            reference itself. A slow machine slows both, so speeds compare across runs better than times do.
        speed_narrow: Whether the interval of speed became as narrow as the run asked for; None if it did not ask.
        builds_ms: Median host latency of each load of the model.
        cold: None if it was not measured.
        energy: None without a counter.
        vram_mib: GPU memory after loading and two images, beyond the memory before, the most over the fresh processes;
            None without a GPU.
        drift: None for the reference itself.
        accuracy: One entry for each data set.
        failure: Why figures are missing; empty if nothing failed.
    """

    name: str
    facts: Mapping[str, str]
    notes: tuple[str, ...] = ()
    latency: tuple[Latency, ...] = ()
    stages_ms: Mapping[str, NotNegative] = field(default_factory=dict)
    throughput: tuple[Throughput, ...] = ()
    speed: Interval | None = None
    speed_narrow: bool | None = None
    builds_ms: tuple[NotNegative, ...] = ()
    cold: ColdStart | None = None
    energy: Energy | None = None
    vram_mib: NotNegative | None = None
    drift: Drift | None = None
    accuracy: tuple[Accuracy, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run.

    Args:
        schema: Version of the JSON.
        machine, made: Where and how it was measured.
        subjects: In the order given.
        reference: Name of the subject that drift is measured against; empty without drift.
        warnings: What a reader must know before the figures: a loaded machine, clocks that fell.
    """

    # How result_file.py reads it; pydantic applies it to the records inside too.
    __pydantic_config__: ClassVar[Mapping[str, object]] = {
        "strict": True,
        "extra": "forbid",
        "allow_inf_nan": False,
        "ser_json_inf_nan": "strings",
    }

    schema: Literal[1] = field(default=SCHEMA, kw_only=True)
    machine: Machine
    made: Made
    subjects: tuple[SubjectResult, ...]
    reference: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for the report, which the JSON leaves out.

    Args:
        subject: Name.
        title: One line.
        jpeg: The file's bytes.
    """

    subject: str
    title: str
    jpeg: bytes
