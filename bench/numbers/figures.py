"""The figures of a subject by name, each with its unit and its interval: what tables show and conditions ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ...engine.terms import SCOPES, TimedScope
from .result import METRICS, Accuracy, Drift, Interval, Latency, Metric, Report, SubjectResult
from .statistics import compare_medians, median_interval

MAIN_SCOPE: TimedScope = "host"  # what a user waits for; conditions and headlines mean it unless they name another
_PERCENTILES = ("p50", "p90", "p95", "p99", "mean")
_SHARES = {"delta1", "delta2", "delta3"}
_OF_DRIFT: tuple[tuple[str, str, str, Callable[[Drift], float | None]], ...] = (
    ("drift", "share", "drift", lambda one: one.mean),
    ("drift.p99", "share", "drift p99", lambda one: one.p99),
    ("drift.worst", "share", "worst drift", lambda one: one.worst),
    ("temporal", "share", "temporal drift", lambda one: one.temporal),
    ("edge_f1", "share", "edge F1", lambda one: one.edge_f1),
    ("nonfinite", "", "non-finite values", lambda one: one.nonfinite),
)
_LEAST_PROCESSES = 2  # one shows no spread
# What the figure is of ("" where a subject has one alone, else the data set) and its value.
Values = Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Figure:
    """One kind of figure.

    Args:
        name: As conditions write it.
        unit: "ms", "MiB", "J", "images/s", "share" (a part of a whole, 1 is all of it) or "".
        title: For people.
        read: Gives its values for a subject; empty where it was not measured.
        noise_known: Whether a subject's values have intervals that tell their noise; that of what is computed is none.
        of_images: Whether it is a mean over images, so that other images give another figure.
    """

    name: str
    unit: str
    title: str
    read: Callable[[SubjectResult], Values]
    noise_known: Callable[[SubjectResult], bool] = lambda one: True
    of_images: bool = False


def exact(value: float | None) -> Values:
    """Return a value without noise as the only one; none for None."""
    return {} if value is None else {"": Interval(value, value, value)}


def latency_in(subject: SubjectResult, scope: str) -> Latency | None:
    """Return a subject's latency in a scope, None where it was not measured."""
    return next((one for one in subject.latency if one.scope == scope), None)


def missed_share(latency: Latency) -> float | None:
    """Return the part of frames that found the subject busy; None for scopes without a rate."""
    if latency.missed is None:
        return None
    return latency.missed / max(1, latency.missed + len(latency.samples_ms))


def conditions_of(accuracy: Accuracy) -> str:
    """Name a data set with how it was judged, such as "nyu, scale, to 10 m, eigen crop"."""
    cap = "" if accuracy.cap_m is None else f"to {accuracy.cap_m:g} m"
    crop = "" if accuracy.crop == "none" else f"{accuracy.crop} crop"
    alignment = "not aligned" if accuracy.alignment == "none" else accuracy.alignment
    return ", ".join(filter(None, [accuracy.dataset, alignment, cap, crop]))


def first_accuracy(report: Report) -> tuple[str, Mapping[str, Accuracy]]:
    """Return the first data set and way of judging of a report, as conditions_of, and its accuracy by subject name.

    What was aligned does not rank beside what was not.
    """
    judged = [(subject.name, conditions_of(one), one) for subject in report.subjects for one in subject.accuracy]
    first = judged[0][1] if judged else ""
    return first, {name: one for name, conditions, one in judged if conditions == first}


def best_throughput(subject: SubjectResult) -> Interval | None:
    """Return the most images a second over all batches and streams, None where it was not measured."""
    return max((one.images_per_s for one in subject.throughput), key=lambda found: found.value, default=None)


def _percentile(scope: str, name: str) -> Callable[[SubjectResult], Values]:
    def read(subject: SubjectResult) -> Values:
        found = latency_in(subject, scope)
        return {} if found is None else {"": getattr(found, f"{name}_ms")}

    return read


def _metric(name: Metric) -> Callable[[SubjectResult], Values]:
    def read(subject: SubjectResult) -> Values:
        return {conditions_of(one): exact(one.metrics[name])[""] for one in subject.accuracy if name in one.metrics}

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
        return {} if cold is None else _over_processes(getattr(cold, name), [getattr(one, name) for one in cold.each])

    return read


def _vram(subject: SubjectResult) -> Values:
    told = [one.vram_mib for one in subject.cold.each if one.vram_mib is not None] if subject.cold else []
    return {} if subject.vram_mib is None else _over_processes(subject.vram_mib, told)


def _over_processes(value: float, each: Sequence[float]) -> Values:
    """Return a value with the interval that the processes give it: its own where they are no two."""
    if len(each) < _LEAST_PROCESSES:
        return exact(value)
    found = median_interval(each)
    return {"": Interval(value, min(value, found.low), max(value, found.high))}


def _has_processes(subject: SubjectResult) -> bool:
    return subject.cold is not None and len(subject.cold.each) >= _LEAST_PROCESSES


def _never(subject: SubjectResult) -> bool:
    """Say of what is measured once that nothing tells its noise."""
    return False


def _throughput(subject: SubjectResult) -> Values:
    best = best_throughput(subject)
    return {} if best is None else {"": best}


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
        Figure("energy", "J", "energy an image", lambda one: exact(one.energy.joules if one.energy else None), _never),
    ]
    found += [Figure(name, unit, title, _drift(read), of_images=True) for name, unit, title, read in _OF_DRIFT]
    found += [Figure(name, "share" if name in _SHARES else "", name, _metric(name), of_images=True) for name in METRICS]
    return {figure.name: figure for figure in found}


FIGURES: Mapping[str, Figure] = _all_figures()


def speed(baseline: Latency, found: Latency) -> Interval:
    """Return how many times as fast as the baseline, over the medians."""
    paired = len(baseline.samples_ms) == len(found.samples_ms) and found.scope != "rate"
    per_round = len(found.samples_ms) // found.rounds if found.rounds == baseline.rounds > 0 else 1
    return compare_medians(found.samples_ms, baseline.samples_ms, per_round=per_round, paired=paired)


# Settings that tell which images drift is of, the best first; older reports have their number and the first name alone.
IMAGE_NAMES = "image names"
_DIGITS = 12  # of the digest: two lists do not share them by chance


def name_images(images: Sequence[Path]) -> str:
    """Return a digest of the names of images, the same in whichever folder and order they are."""
    names = "\n".join(sorted(path.name for path in images))
    return sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
