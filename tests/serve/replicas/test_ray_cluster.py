"""Ray takes over no signal, and a cluster that is not ours is not ended."""

from __future__ import annotations

import signal
import warnings
from importlib.util import find_spec

import pytest

if find_spec("ray") is None:
    pytest.skip("Ray Serve is NOT tested: pip install 'depthrt[ray]'", allow_module_level=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pydantic's, of Ray
    from depthrt.serve.replicas.ray_cluster import ADDRESS, RayCluster, signals_kept


def test_the_handlers_of_signals_are_those_of_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with signals_kept():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_cluster_is_ours_unless_an_address_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)
    assert RayCluster().own
    monkeypatch.setenv(ADDRESS, "ray.example.org:6379")
    cluster = RayCluster()
    assert not cluster.own and not cluster.joined
    cluster.leave()
