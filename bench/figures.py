"""The figures of a subject by name, each with its unit and its interval: what tables show and conditions ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .accuracy import METRICS
from .result import SCOPES, Accuracy, Interval, Latency, SubjectResult

MAIN_SCOPE = "host"  # what a user waits for; conditions and headlines mean it unless they name another
_PERCENTILES = ("p50", "p90", "p95", "p99", "mean")
_SHARES = {"delta1", "delta2", "delta3"}

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
    """

    name: str
    unit: str
    title: str
    read: Callable[[SubjectResult], Values]


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


def best_throughput(subject: SubjectResult) -> Interval | None:
    """Return the most images a second over all batches and streams, None where it was not measured."""
    return max((one.images_per_s for one in subject.throughput), key=lambda found: found.value, default=None)


def _percentile(scope: str, name: str) -> Callable[[SubjectResult], Values]:
    def read(subject: SubjectResult) -> Values:
        found = latency_in(subject, scope)
        return {} if found is None else {"": getattr(found, f"{name}_ms")}

    return read


def _metric(name: str) -> Callable[[SubjectResult], Values]:
    def read(subject: SubjectResult) -> Values:
        return {conditions_of(one): exact(one.metrics[name])[""] for one in subject.accuracy if name in one.metrics}

    return read


def _missed(subject: SubjectResult) -> Values:
    found = latency_in(subject, "rate")
    return exact(None if found is None else missed_share(found))


def _jitter(subject: SubjectResult) -> Values:
    found = latency_in(subject, "rate")
    return exact(None if found is None else found.jitter_ms)


def _throughput(subject: SubjectResult) -> Values:
    best = best_throughput(subject)
    return {} if best is None else {"": best}


def _speed(subject: SubjectResult) -> Values:
    return {} if subject.speed is None else {"": subject.speed}


def _all_figures() -> Mapping[str, Figure]:
    found = [
        Figure(f"{scope}.{name}", "ms", f"{scope} {name}", _percentile(scope, name))
        for scope in SCOPES
        for name in _PERCENTILES
    ]
    found += [
        Figure("rate.missed", "share", "missed frames", _missed),
        Figure("rate.jitter", "ms", "jitter", _jitter),
        Figure("speed", "", "speed against the reference", _speed),
        Figure("throughput", "images/s", "best throughput", _throughput),
        Figure("cold.load", "ms", "load", lambda one: exact(one.cold.load_ms if one.cold else None)),
        Figure("cold.first", "ms", "first inference", lambda one: exact(one.cold.first_ms if one.cold else None)),
        Figure("rss", "MiB", "peak RSS", lambda one: exact(one.cold.peak_rss_mib if one.cold else None)),
        Figure("vram", "MiB", "peak VRAM", lambda one: exact(one.vram_mib)),
        Figure("energy", "J", "energy an image", lambda one: exact(one.energy.joules if one.energy else None)),
        Figure("drift", "share", "drift", lambda one: exact(one.drift.mean if one.drift else None)),
        Figure("drift.p99", "share", "drift p99", lambda one: exact(one.drift.p99 if one.drift else None)),
        Figure("drift.worst", "share", "worst drift", lambda one: exact(one.drift.worst if one.drift else None)),
        Figure("temporal", "share", "temporal drift", lambda one: exact(one.drift.temporal if one.drift else None)),
        Figure("edge_f1", "share", "edge F1", lambda one: exact(one.drift.edge_f1 if one.drift else None)),
        Figure("nonfinite", "", "non-finite values", lambda one: exact(one.drift.nonfinite if one.drift else None)),
    ]
    found += [Figure(name, "share" if name in _SHARES else "", name, _metric(name)) for name in METRICS]
    return {figure.name: figure for figure in found}


FIGURES: Mapping[str, Figure] = _all_figures()
