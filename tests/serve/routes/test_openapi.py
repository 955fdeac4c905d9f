"""The OpenAPI document says what the routes take."""

from __future__ import annotations

from jsonschema import validate
from served import IMAGE, PHOTO
from starlette.testclient import TestClient

from depthrt.serve.decode.options import OF_DEPTH
from depthrt.serve.routes.openapi import BINARY, answers, body, form_schema, option_schemas, query, refusals


def test_the_document_names_every_route(client: TestClient) -> None:
    found = client.get("/openapi.json").json()
    expected = {"/infer", "/v1/depth", "/v1/pointcloud", "/models", "/metrics", "/healthz", "/readyz"}
    assert expected <= found["paths"].keys()
    assert {"/v2/health/live", "/v2/health/ready", "/v2/models/{name}", "/v2/models/{name}/infer"} <= found[
        "paths"
    ].keys()
    fields = found["paths"]["/infer"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert fields.keys() == {"file", "augment", "otype", "pretrained"}
    assert fields["augment"]["enum"] == ["mirror", "indoor art", "outdoor art"]


def test_entries_say_what_they_should() -> None:
    assert [entry["name"] for entry in query(OF_DEPTH)] == list(OF_DEPTH)
    assert refusals(422)[422]["content"]["application/json"]["schema"]["required"] == ["error", "code", "request_id"]
    assert answers({"image/png": BINARY}, "A picture.", 503).keys() == {200, 503}
    form = form_schema("file", option_schemas(["model"]))
    assert form["required"] == ["file"] and form["properties"]["model"]["maxLength"] == 64
    assert body({"image/*": BINARY})["content"]["image/*"]["schema"] == BINARY


def test_the_document_describes_json_where_depth_is_answered_as_json(client: TestClient) -> None:
    content = client.get("/openapi.json").json()["paths"]["/v1/depth"]["post"]["responses"]["200"]["content"]
    answer = client.post("/v1/depth?format=json", content=PHOTO, headers=IMAGE)
    validate(answer.json(), content["application/json"]["schema"])
    assert content["image/png"]["schema"] == BINARY
