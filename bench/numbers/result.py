"""What a benchmark found, as frozen data: every table, plot and comparison is made from it, and JSON holds all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...engine.terms import Scope

SCHEMA = 1  # of the JSON; a reader refuses others


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured; what cannot be read is an empty string, 0 or an empty tuple.

    Args:
        cpu: Model name.
        cores: That this process may use.
        cpu_features: Instruction sets that matter, such as avx512_bf16 and amx_bf16.
        memory_mib: Of the machine.
        system: Operating system and kernel.
        gpu, driver: Of the first NVIDIA GPU.
        power: How clocks and power are governed, such as the scaling governor.
        load: Of the last minute, before the run began.
    """

    cpu: str
    cores: int
    cpu_features: tuple[str, ...]
    memory_mib: int
    system: str
    gpu: str
    driver: str
    power: str
    load: float


@dataclass(frozen=True, slots=True)
class Made:
    """How to make the figures again.

    Args:
        command: As typed.
        commit: Of depthrt's source tree, with "+changes" where it differs; empty outside one.
        versions: Of every package that took part.
        started: ISO 8601, UTC.
        took_s: Of the whole run.
        settings: Rounds, images, sizes: what the user could choose.
    """

    command: str
    commit: str
    versions: Mapping[str, str]
    started: str
    took_s: float
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Latency:
    """Times of one subject in one scope, ms.

    Args:
        scope: "kernel" (the network alone), "host" (image array to depth array), "file" (file to file) or
            "rate" (frames that arrive at a fixed rate: from arrival to depth).
        samples_ms: In the order measured.
        p50_ms, p90_ms, p95_ms, p99_ms: Of samples_ms.
        mean_ms: The same.
        warmup: Calls before the times were steady, which are not in samples_ms.
        steady: Whether they became steady before the limit of warm-up calls.
        rounds: Turns that samples_ms are of, as many in each; 0 for "rate".
        rate_hz: Of the frames; None for the other scopes.
        missed: Frames that found the subject busy and were dropped; None for the other scopes.
        jitter_ms: Standard deviation of the time between two answers; None for the other scopes.
    """

    scope: Scope
    samples_ms: tuple[float, ...]
    p50_ms: Interval
    p90_ms: Interval
    p95_ms: Interval
    p99_ms: Interval
    mean_ms: Interval
    warmup: int
    steady: bool
    rounds: int = 0
    rate_hz: float | None = None
    missed: int | None = None
    jitter_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Throughput:
    """Images a second when several go at once."""

    batch: int
    streams: int
    images_per_s: Interval


@dataclass(frozen=True, slots=True)
class MemoryStep:
    """What a process had in RAM after one step of its start.

    Args:
        step: "imports", "load", "first image" or "second image".
        rss_mib: All of it.
        files_mib: Pages of files within it, which the system can drop: libraries, mapped model files.
    """

    step: str
    rss_mib: float
    files_mib: float


@dataclass(frozen=True, slots=True)
class ColdProcess:
    """What one fresh process took; as in ColdStart, and the GPU memory as in SubjectResult."""

    process_ms: float
    import_ms: float
    load_ms: float
    first_ms: float
    second_ms: float
    peak_rss_mib: float
    vram_mib: float | None = None


@dataclass(frozen=True, slots=True)
class ColdStart:
    """From a process that does not exist to depth, medians over several processes.

    Args:
        process_ms: Until Python runs the first line.
        import_ms: Of depthrt and what the subject needs.
        load_ms: Of the model file.
        first_ms, second_ms: Inferences, host to host.
        peak_rss_mib: Of the process.
        processes: How many were started.
        memory: Step by step; empty where the system does not tell.
        each: The processes one by one, in order; empty in older reports.
    """

    process_ms: float
    import_ms: float
    load_ms: float
    first_ms: float
    second_ms: float
    peak_rss_mib: float
    processes: int
    memory: tuple[MemoryStep, ...] = ()
    each: tuple[ColdProcess, ...] = ()


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of one inference, host to host.

    Args:
        joules: Per image.
        source: "RAPL package" or "NVML".
    """

    joules: float
    source: str


@dataclass(frozen=True, slots=True)
class Band:
    """Drift in a part of the depth range.

    Args:
        low, high: Quantiles of the reference's inverse depth that bound it: 0 is far, 1 is near.
        drift: Mean absolute difference over the reference's 2-98 % range.
        share: Of all pixels.
    """

    low: float
    high: float
    drift: float
    share: float


@dataclass(frozen=True, slots=True)
class Tile:
    """A place where a subject departs most.

    Args:
        image: Name.
        top_px, left_px, height_px, width_px: In the image.
        drift: Mean over the tile.
    """

    image: str
    top_px: int
    left_px: int
    height_px: int
    width_px: int
    drift: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a subject's answers are from the float32 reference on the same pixels.

    Args:
        reference: Name of the subject that it is measured against.
        images: Number of images.
        mean: Mean absolute difference over the reference's 2-98 % range, mean over images.
        p99: The 99th percentile of the absolute difference over the same range, mean over images.
        worst_image: Name of the image with the largest mean.
        worst: Its mean.
        bands: Far to near.
        edge_f1: Agreement of depth edges, 1 is all, mean over images; None where the reference has no edges.
        nonfinite: Values that are NaN or infinite, in all images.
        temporal: Mean absolute difference between what the subject and the reference change from frame to frame,
            over the same range; None where the images are no video.
        tiles: The worst ones, worst first.
    """

    reference: str
    images: int
    mean: float
    p99: float
    worst_image: str
    worst: float
    bands: tuple[Band, ...]
    edge_f1: float | None
    nonfinite: int
    temporal: float | None
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class ImageAccuracy:
    """The nine metrics of one image; see accuracy.METRICS for their names."""

    image: str
    metrics: Mapping[str, float]
    pixels: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How near a subject's depth is to measured depth.

    Args:
        dataset: Its name.
        alignment: "none", "scale", "scale-and-shift" or "log".
        cap_m: Depth beyond it is not judged; None where the ground truth is disparity without a unit.
        crop: "none", "eigen" or "garg".
        metrics: Mean over images, by name.
        images: One entry each.
    """

    dataset: str
    alignment: str
    cap_m: float | None
    crop: str
    metrics: Mapping[str, float]
    images: tuple[ImageAccuracy, ...]


@dataclass(frozen=True, slots=True)
class SubjectResult:
    """Everything about one subject.

    Args:
        name: Unique in the run, and what compare matches by.
        facts: What it is: file, model, runner, provider, precision, input size, threads.
        notes: Fallbacks and compromises, one sentence each.
        latency: One entry a scope that was measured.
        stages_ms: Median of each part of a call from file to file, in order; empty where it was not measured.
        throughput: By batch and streams.
        speed: How many times as fast as the reference, host to host, over turns in the same rounds; None for the
            reference itself. What slows the machine slows both, so it compares across runs better than times do.
        speed_narrow: Whether the interval of speed became as narrow as the run asked for; None where it did not ask.
        builds_ms: Median host latency of each time the model was loaded anew; the build-to-build spread.
        cold: None where it was not measured.
        energy: None where nothing gives it.
        vram_mib: GPU memory in use after loading and two images, over that before, most of the fresh processes; None
            without a GPU.
        drift: None for the reference itself.
        accuracy: One entry a data set.
        failure: Why there are no figures, or no more of them; empty where nothing failed.
    """

    name: str
    facts: Mapping[str, str]
    notes: tuple[str, ...] = ()
    latency: tuple[Latency, ...] = ()
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    throughput: tuple[Throughput, ...] = ()
    speed: Interval | None = None
    speed_narrow: bool | None = None
    builds_ms: tuple[float, ...] = ()
    cold: ColdStart | None = None
    energy: Energy | None = None
    vram_mib: float | None = None
    drift: Drift | None = None
    accuracy: tuple[Accuracy, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run.

    Args:
        machine, made: Where and how.
        subjects: In the order given.
        reference: Name of the subject that drift is measured against; empty without drift.
        warnings: What a reader must know before the figures: a loaded machine, clocks that fell.
        schema: Of the JSON.
    """

    machine: Machine
    made: Made
    subjects: tuple[SubjectResult, ...]
    reference: str = ""
    warnings: tuple[str, ...] = ()
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for the report, which JSON leaves out.

    Args:
        subject: Name.
        title: One line.
        jpeg: The file's bytes.
    """

    subject: str
    title: str
    jpeg: bytes


METRICS = ("abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog", "delta1", "delta2", "delta3")
