"""The figures of a subject by name, with unit and interval, for tables and conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ...engine.terms import SCOPES, TimedScope
from .result import METRICS, Accuracy, Drift, Interval, Latency, Metric, Report, SubjectResult
from .statistics import compare_medians, median_interval

MAIN_SCOPE: TimedScope = "host"  # a program waits for it; conditions and headlines mean it unless they name another
COMPUTED_IN = "computed in"  # fact of a subject whose arithmetic has another precision than its file
_PERCENTILES = ("p50", "p90", "p95", "p99", "mean")
_SHARES = {"delta1", "delta2", "delta3"}
_OF_DRIFT: tuple[tuple[str, str, str, Callable[[Drift], float | None]], ...] = (
    ("drift", "share", "drift", lambda drift: drift.mean),
    ("drift.p99", "share", "drift p99", lambda drift: drift.p99),
    ("drift.worst", "share", "worst drift", lambda drift: drift.worst),
    ("temporal", "share", "temporal drift", lambda drift: drift.temporal),
    ("edge_f1", "share", "edge F1", lambda drift: drift.edge_f1),
    ("nonfinite", "", "non-finite values", lambda drift: drift.nonfinite),
)
_LEAST_PROCESSES = 2  # a single process shows no spread
Values = Mapping[str, Interval]  # by data set, "" for a figure that does not depend on one


@dataclass(frozen=True, slots=True)
class Figure:
    """One kind of figure.

    Args:
        name: In conditions.
        unit: "ms", "MiB", "J", "images/s", "share" (1 is the whole) or "".
        title: For people.
        read: Returns its values for a subject; empty if it was not measured.
        noise_known: Whether the intervals of a subject's values show their noise; a computed figure has no noise.
        of_images: Whether it is a mean over images; other images then give another figure.
    """

    name: str
    unit: str
    title: str
    read: Callable[[SubjectResult], Values]
    noise_known: Callable[[SubjectResult], bool] = lambda subject: True
    of_images: bool = False


def exact(value: float | None) -> Values:
    """Return a value without noise; nothing for None."""
    return {} if value is None else {"": Interval(value, value, value)}


def latency_in(subject: SubjectResult, scope: str) -> Latency | None:
    """Return a subject's latency in a scope, None if it was not measured."""
    return next((latency for latency in subject.latency if latency.scope == scope), None)


def missed_share(latency: Latency) -> float | None:
    """Return the share of frames that were dropped because the subject was busy; None for scopes without a rate."""
    if latency.missed is None:
        return None
    return latency.missed / max(1, latency.missed + len(latency.samples_ms))


def conditions_of(accuracy: Accuracy) -> str:
    """Return a data set's name and rules, such as "nyu, scale, to 10 m, eigen crop"."""
    cap = "" if accuracy.cap_m is None else f"to {accuracy.cap_m:g} m"
    crop = "" if accuracy.crop == "none" else f"{accuracy.crop} crop"
    alignment = "not aligned" if accuracy.alignment == "none" else accuracy.alignment
    return ", ".join(filter(None, [accuracy.dataset, alignment, cap, crop]))


def first_accuracy(report: Report) -> tuple[str, Mapping[str, Accuracy]]:
    """Return the first data set and rules of a report, as conditions_of, and their accuracy by subject name.

    Subjects that were judged by other rules are left out: aligned depth does not rank beside unaligned depth.
    """
    judged = [
        (subject.name, conditions_of(accuracy), accuracy)
        for subject in report.subjects
        for accuracy in subject.accuracy
    ]
    first = judged[0][1] if judged else ""
    return first, {name: accuracy for name, conditions, accuracy in judged if conditions == first}


def best_throughput(subject: SubjectResult) -> Interval | None:
    """Return the most images a second over all batches and streams, None if it was not measured."""
    return max((load.images_per_s for load in subject.throughput), key=lambda rate: rate.value, default=None)


def _percentile(scope: str, name: str) -> Callable[[SubjectResult], Values]:
    def read(subject: SubjectResult) -> Values:
        found = latency_in(subject, scope)
        return {} if found is None else {"": getattr(found, f"{name}_ms")}

    return read


def _metric(name: Metric) -> Callable[[SubjectResult], Values]:
    def read(subject: SubjectResult) -> Values:
        judged = [accuracy for accuracy in subject.accuracy if name in accuracy.metrics]
        return {conditions_of(accuracy): exact(accuracy.metrics[name])[""] for accuracy in judged}

    return read


def _missed(subject: SubjectResult) -> Values:
    found = latency_in(subject, "rate")
    return exact(None if found is None else missed_share(found))


def _jitter(subject: SubjectResult) -> Values:
    found = latency_in(subject, "rate")
    return exact(None if found is None else found.jitter_ms)


def _cold(name: str) -> Callable[[SubjectResult], Values]:
    def read(subject: SubjectResult) -> Values:
        cold = subject.cold
        each = [getattr(process, name) for process in cold.each] if cold else []
        return {} if cold is None else _over_processes(getattr(cold, name), each)

    return read


def _vram(subject: SubjectResult) -> Values:
    processes = subject.cold.each if subject.cold else ()
    each = [process.vram_mib for process in processes if process.vram_mib is not None]
    return {} if subject.vram_mib is None else _over_processes(subject.vram_mib, each)


def _over_processes(value: float, each: Sequence[float]) -> Values:
    """Return a value with the interval over the processes; without two processes it has none."""
    if len(each) < _LEAST_PROCESSES:
        return exact(value)
    found = median_interval(each)
    return {"": Interval(value, min(value, found.low), max(value, found.high))}


def _has_processes(subject: SubjectResult) -> bool:
    return subject.cold is not None and len(subject.cold.each) >= _LEAST_PROCESSES


def _never(subject: SubjectResult) -> bool:
    """Return that the noise is unknown: the figure is measured once."""
    return False


def _throughput(subject: SubjectResult) -> Values:
    best = best_throughput(subject)
    return {} if best is None else {"": best}


def _energy(subject: SubjectResult) -> Values:
    return exact(subject.energy.joules if subject.energy else None)


def _speed(subject: SubjectResult) -> Values:
    return {} if subject.speed is None else {"": subject.speed}


def _drift(read: Callable[[Drift], float | None]) -> Callable[[SubjectResult], Values]:
    return lambda subject: {} if subject.drift is None else exact(read(subject.drift))


def _all_figures() -> Mapping[str, Figure]:
    found = [
        Figure(f"{scope}.{name}", "ms", f"{scope} {name}", _percentile(scope, name))
        for scope in SCOPES
        for name in _PERCENTILES
    ]
    found += [
        Figure("rate.missed", "share", "missed frames", _missed, _never),
        Figure("rate.jitter", "ms", "jitter", _jitter, _never),
        Figure("speed", "", "speed against the reference", _speed),
        Figure("throughput", "images/s", "best throughput", _throughput),
        Figure("cold.load", "ms", "load", _cold("load_ms"), _has_processes),
        Figure("cold.first", "ms", "first inference", _cold("first_ms"), _has_processes),
        Figure("rss", "MiB", "peak RSS", _cold("peak_rss_mib"), _has_processes),
        Figure("vram", "MiB", "VRAM after two images", _vram, _has_processes),
        Figure("energy", "J", "energy per image", _energy, _never),
    ]
    found += [Figure(name, unit, title, _drift(read), of_images=True) for name, unit, title, read in _OF_DRIFT]
    found += [Figure(name, "share" if name in _SHARES else "", name, _metric(name), of_images=True) for name in METRICS]
    return {figure.name: figure for figure in found}


FIGURES: Mapping[str, Figure] = _all_figures()


def speed(baseline: Latency, found: Latency) -> Interval:
    """Return how many times as fast as the baseline a latency is; turn by turn if both took turns."""
    paired = len(baseline.samples_ms) == len(found.samples_ms) and found.scope != "rate"
    per_round = len(found.samples_ms) // found.rounds if found.rounds == baseline.rounds > 0 else 1
    return compare_medians(found.samples_ms, baseline.samples_ms, per_round=per_round, paired=paired)


IMAGE_NAMES = "image names"  # the setting of a report that identifies the images of drift; older reports lack it
_DIGITS = 12  # of the digest: two lists do not share them by chance


def name_images(images: Sequence[Path]) -> str:
    """Return a digest of the names of images, which does not depend on their folders and order."""
    names = "\n".join(sorted(path.name for path in images))
    return sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
