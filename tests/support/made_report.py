"""A report of four subjects as a run on a small server would give it; times are drawn, not measured."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from depthrt.bench.numbers.result import (
    METRICS,
    Accuracy,
    Band,
    ColdStart,
    Drift,
    Energy,
    ImageAccuracy,
    Interval,
    Latency,
    Machine,
    Made,
    MemoryStep,
    Picture,
    Report,
    SubjectResult,
    Throughput,
    Tile,
)
from depthrt.bench.numbers.statistics import summarise
from depthrt.engine.terms import Scope

ROUNDS, CALLS = 30, 3
EAGER, FP32, BF16, INT8 = "vits.pth torch fp32 cpu", "vits.onnx cpu", "vits-bf16.onnx openvino", "vits-int8.onnx cpu"
MACHINE = Machine(
    cpu="AMD EPYC 9654 96-Core Processor",
    cores=2,
    cpu_features=("avx2", "avx512f", "avx512_bf16"),
    memory_mib=16_384,
    system="Linux 6.12.8 x86_64",
    gpu="",
    driver="",
    power="governor unknown",
    load=0.07,
)
MADE = Made(
    command="depthrt bench vits.pth vits.onnx vits-bf16.onnx vits-int8.onnx --reference vits.pth --images photos/",
    commit="d8347b9",
    versions={"depthrt": "0.1.0", "numpy": "2.3.4", "onnxruntime": "1.24.1", "torch": "2.9.1+cpu"},
    started="2026-03-14T09:26:53Z",
    took_s=612.4,
    settings={"rounds": "30", "calls": "3", "images": "12 of photos/", "rate": "5 Hz", "seed": "0"},
)


def drawn_times(median_ms: float, seed: int, *, rounds: int = ROUNDS, calls: int = CALLS) -> tuple[float, ...]:
    """Return times as a shared machine gives them: rounds alike within, a slow wander, spikes, another day's level."""
    random = np.random.default_rng(seed)
    wander = np.cumsum(random.normal(0, 0.004, rounds))
    level = np.repeat(wander - wander.mean() + random.normal(0, 0.01, rounds), calls)
    found = median_ms * np.exp(level + np.abs(random.normal(0, 0.02, rounds * calls)))
    found[random.random(rounds * calls) < 0.03] *= 1.8
    return tuple(found * np.exp(random.normal(0, 0.008)))


def make_latency(scope: Scope, samples_ms: Sequence[float], **of_rate: float) -> Latency:
    found = summarise(samples_ms, per_round=1 if of_rate else CALLS)
    return Latency(
        scope,
        tuple(samples_ms),
        found.p50,
        found.p90,
        found.p95,
        found.p99,
        found.mean,
        warmup=20,
        steady=True,
        **of_rate,  # type: ignore[arg-type]
    )


def make_drift(mean: float) -> Drift:
    bands = tuple(Band(low / 4, (low + 1) / 4, mean * factor, 0.25) for low, factor in enumerate((1.6, 0.9, 0.7, 0.8)))
    tiles = (Tile("stairs.jpg", 128, 384, 64, 64, mean * 9), Tile("kitchen.jpg", 0, 192, 64, 64, mean * 7))
    return Drift(
        EAGER, 12, mean, mean * 6, "stairs.jpg", mean * 1.9, bands, max(0.0, 1 - 9 * mean), 0, mean * 0.4, tiles
    )


def make_accuracy(abs_rel: float, images: int = 12) -> Accuracy:
    random = np.random.default_rng(5)
    base = dict(zip(METRICS, (abs_rel, 0.021, 0.31, 0.11, 0.034, 0.105, 1 - abs_rel, 0.991, 0.998), strict=True))
    per_image = tuple(
        ImageAccuracy(
            f"room_{number:03}.png",
            {name: value * float(random.uniform(0.8, 1.2)) for name, value in base.items()},
            pixels=300_000,
        )
        for number in range(images)
    )
    return Accuracy("nyu", "scale-and-shift", 10.0, "eigen", base, per_image)


def make_subject(
    name: str, median_ms: float, seed: int, *, precision: str, runner: str, drift: float | None, abs_rel: float
) -> SubjectResult:
    stages = dict(
        zip(("decode", "preprocess", "run", "postprocess", "encode"), (9.1, 3.2, median_ms, 2.4, 12.7), strict=True)
    )
    scopes: dict[Scope, float] = {"kernel": median_ms, "host": median_ms + 5.6, "file": sum(stages.values())}
    rate = make_latency(
        "rate",
        drawn_times(median_ms * 1.1 + 8, seed + 50),
        rate_hz=5.0,
        missed=0 if median_ms < 200 else round(median_ms / 20),
        jitter_ms=median_ms / 30,
    )
    image_rate = 1000 / (median_ms + 5.6)
    return SubjectResult(
        name,
        {
            "file": name.split(maxsplit=1)[0],
            "runner": runner,
            "precision": precision,
            "input": "518x686",
            "threads": "2",
        },
        latency=(
            *(make_latency(scope, drawn_times(ms, seed + at)) for at, (scope, ms) in enumerate(scopes.items())),
            rate,
        ),
        stages_ms=stages,
        throughput=tuple(
            Throughput(batch, streams, Interval(speed := image_rate * gain, speed * 0.97, speed * 1.03))
            for batch, streams, gain in ((1, 1, 1.0), (4, 1, 1.06), (1, 2, 1.12))
        ),
        builds_ms=tuple(drawn_times(median_ms + 5.6, seed + 90, rounds=5, calls=1)),
        cold=ColdStart(
            31.0,
            1840.0 if "torch" in name else 320.0,
            410.0,
            median_ms * 1.9,
            median_ms * 1.05,
            702.0,
            5,
            memory=(
                MemoryStep("imports", 96.0, 61.0),
                MemoryStep("load", 301.5, 160.0),
                MemoryStep("first image", 690, 160),
            ),
        ),
        energy=Energy(median_ms * 0.021, "RAPL package"),
        drift=None if drift is None else make_drift(drift),
        accuracy=(make_accuracy(abs_rel),),
    )


def make_report(
    seed: int = 0, *, slower: float = 1.0, drift: float = 9.4e-4, only: Sequence[str] = (EAGER, FP32, BF16, INT8)
) -> Report:
    """Return a report.

    Args:
        seed: Of the times; two seeds are two runs of the same.
        slower: Factor on the times of the bf16 subject.
        drift: Of the same.
        only: Names of the subjects that were measured.
    """
    at = seed * 1000
    subjects = (
        (EAGER, 1015.0, "fp32", "torch", None, 0.0521),
        (FP32, 565.0, "fp32", "onnxruntime", 4.1e-7, 0.0521),
        (BF16, 138.0 * slower, "bf16", "onnxruntime", drift, 0.0523),
        (INT8, 120.0, "int8", "onnxruntime", 0.0142, 0.0578),
    )
    failed = SubjectResult("vits-fp16.onnx cuda", {"file": "vits-fp16.onnx"}, failure="no CUDA device was found")
    return Report(
        MACHINE,
        MADE,
        (
            *(
                make_subject(name, ms, at + 200 * number, precision=precision, runner=runner, drift=far, abs_rel=error)
                for number, (name, ms, precision, runner, far, error) in enumerate(subjects)
                if name in only
            ),
            failed,
        ),
        reference=EAGER,
        warnings=("other virtual machines took 4.1 % of the CPU time during the run",),
    )


def make_constant(name: str, ms: float, *, drift: float | None = None) -> SubjectResult:
    """Return a subject that takes the same time in each call."""
    found = None if drift is None else make_drift(drift)
    return SubjectResult(name, {}, latency=(make_latency("host", [ms] * 30),), drift=found)


def make_pictures(count: int = 4) -> list[Picture]:
    """Return JPEG pictures of 640x160 px."""
    y, x = np.mgrid[0:160, 0:640]
    pictures = []
    for number in range(count):
        wave = (127 + 120 * np.sin(x / 40 + number) * np.cos(y / 30)).astype(np.uint8)
        _, jpeg = cv2.imencode(".jpg", cv2.applyColorMap(wave, cv2.COLORMAP_INFERNO))
        pictures.append(Picture(BF16, f"stairs.jpg at 128, {64 * number} px, drift 0.85 %", jpeg.tobytes()))
    return pictures
