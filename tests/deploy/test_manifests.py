"""The manifests keep their schemas, run what the image is made for, and wait as long as the service needs to end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import click
import pytest
import yaml
from dockerfile import DOCKERFILE, texts

from depthrt.cli.serving.serve import serve
from depthrt.serve.program import longest_end_s
from depthrt.serve.settings import Settings

FOLDER = DOCKERFILE.parent
KUBERNETES = "1.37"  # version of its schemas
UID = int(texts("USER", 1)[0].partition(":")[0])


def documents(name: str) -> dict[str, Any]:
    """The documents of a file by their kind."""
    return {one.get("kind", name): one for one in yaml.safe_load_all((FOLDER / name).read_text())}


DEPLOYMENT = documents("kubernetes.yaml")["Deployment"]["spec"]["template"]["spec"]
CLOUD_RUN = documents("cloudrun.yaml")["Service"]["spec"]["template"]["spec"]
COMPOSE = documents("compose.yaml")["compose.yaml"]["services"]["depthrt"]
ARGUMENTS = {
    "kubernetes": DEPLOYMENT["containers"][0]["args"],
    "cloud run": CLOUD_RUN["containers"][0]["args"],
    "compose": COMPOSE["command"],
}


def settings_of(arguments: list[str]) -> Settings:
    """The settings that arguments of the program make."""
    with click.Context(serve) as context:
        verb, *rest = arguments
        options, left, _ = serve.make_parser(context).parse_args(rest)
    assert (verb, left) == ("serve", []) and options["host"] == "0.0.0.0"
    given: dict[str, Any] = {name: float(value) for name, value in options.items() if name.endswith("_s")}
    return Settings(**given)


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_the_arguments_are_those_of_the_program(arguments: list[str]) -> None:
    assert settings_of(arguments).timeout_s > 0


def test_kubernetes_documents_keep_their_schemas() -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    for document in documents("kubernetes.yaml").values():
        validate(document, KUBERNETES, strict=True)
    with pytest.raises(Exception, match="replica"):
        validate({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replica": 2}}, KUBERNETES, strict=True)


def test_kubernetes_selects_its_own_pods() -> None:
    found = documents("kubernetes.yaml")
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
    ):
        assert selector.items() <= labels.items()
    assert found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == found["Deployment"]["metadata"]["name"]
    assert found["PodDisruptionBudget"]["spec"]["minAvailable"] < found["Deployment"]["spec"]["replicas"]


def test_kubernetes_runs_it_with_few_rights() -> None:
    (container,) = DEPLOYMENT["containers"]
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] and not rights["allowPrivilegeEscalation"]
    assert rights["capabilities"]["drop"] == ["ALL"] and DEPLOYMENT["securityContext"]["runAsNonRoot"]
    assert DEPLOYMENT["securityContext"]["runAsUser"] == UID and not DEPLOYMENT["automountServiceAccountToken"]
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]


def test_compose_keeps_its_schema_and_runs_it_with_few_rights() -> None:
    compose_spec = pytest.importorskip("compose_spec")
    compose_spec.PyCompose.from_yaml((FOLDER / "compose.yaml").read_text()).validate()
    assert COMPOSE["read_only"] and COMPOSE["cap_drop"] == ["ALL"] and COMPOSE["mem_limit"]
    assert COMPOSE["security_opt"] == ["no-new-privileges:true"] and COMPOSE["tmpfs"][0].startswith("/tmp:")
    assert (FOLDER / COMPOSE["build"]["context"] / COMPOSE["build"]["dockerfile"]).samefile(DOCKERFILE)
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["ports"])


# Fields of a Service that `gcloud run services replace` takes; other ones are refused there.
# Source: cloud.google.com/run/docs/reference/yaml/v1
PROBE = {"httpGet", "initialDelaySeconds", "periodSeconds", "failureThreshold", "timeoutSeconds"}
SERVICE = {
    "": {"apiVersion", "kind", "metadata", "spec"},
    "metadata": {"name", "namespace", "labels", "annotations"},
    "spec": {"template", "traffic"},
    "spec.template": {"metadata", "spec"},
    "spec.template.metadata": {"name", "labels", "annotations"},
    "spec.template.spec": {"containerConcurrency", "timeoutSeconds", "serviceAccountName", "containers", "volumes"},
    "spec.template.spec.containers": {
        "name", "image", "command", "args", "env", "ports", "resources", "startupProbe", "livenessProbe",
        "volumeMounts", "workingDir",
    },
    "spec.template.spec.containers.ports": {"name", "containerPort"},
    "spec.template.spec.containers.resources": {"limits"},
    "spec.template.spec.containers.resources.limits": {"cpu", "memory"},
    "spec.template.spec.containers.startupProbe": PROBE,
    "spec.template.spec.containers.livenessProbe": PROBE,
}  # fmt: skip


def keys_of(value: object, path: str = "") -> Iterator[tuple[str, set[str]]]:
    """The keys at each path of a document."""
    if isinstance(value, Mapping):
        yield path, set(value)
        for key, inner in value.items():
            yield from keys_of(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner, path)


def test_cloud_run_takes_every_field() -> None:
    document = documents("cloudrun.yaml")["Service"]
    assert (document["apiVersion"], document["kind"]) == ("serving.knative.dev/v1", "Service")
    for path, keys in keys_of(document):
        if not path.endswith(("annotations", "httpGet")):
            assert keys <= SERVICE[path], path
    for metadata in (document["metadata"], document["spec"]["template"]["metadata"]):
        for name, value in metadata.get("annotations", {}).items():
            assert re.match(r"(run\.googleapis\.com|autoscaling\.knative\.dev)/", name) and isinstance(value, str)


def test_cloud_run_has_the_size_of_the_study_and_gives_no_more_than_the_queue_holds() -> None:
    (container,) = CLOUD_RUN["containers"]
    assert container["resources"]["limits"] == {"cpu": "4", "memory": "16Gi"}
    settings = settings_of(ARGUMENTS["cloud run"])
    assert 1 <= CLOUD_RUN["containerConcurrency"] <= settings.workers + settings.waiting
    assert settings.timeout_s + settings.upload_timeout_s < CLOUD_RUN["timeoutSeconds"]
    assert container["ports"] == [{"name": "http1", "containerPort": 8080}]


@pytest.mark.parametrize("probes", [DEPLOYMENT["containers"][0], CLOUD_RUN["containers"][0]], ids=["pod", "cloud run"])
def test_probes_ask_whether_it_lives_and_whether_it_is_ready(probes: dict[str, Any]) -> None:
    assert probes["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert probes["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert probes.get("readinessProbe", probes["startupProbe"])["httpGet"]["path"] == "/readyz"


def test_nobody_kills_it_before_it_has_answered_what_it_accepted() -> None:
    kubernetes, compose = settings_of(ARGUMENTS["kubernetes"]), settings_of(ARGUMENTS["compose"])
    assert kubernetes.drain_s > 0 and DEPLOYMENT["terminationGracePeriodSeconds"] > longest_end_s(kubernetes)
    assert int(COMPOSE["stop_grace_period"].rstrip("s")) > longest_end_s(compose)
    probe = DEPLOYMENT["containers"][0]["readinessProbe"]
    assert kubernetes.drain_s > probe["periodSeconds"] * probe["failureThreshold"], "the drain ends before it is seen"
