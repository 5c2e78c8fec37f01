"""`/asyncapi.json`: valid by AsyncAPI's own schema, described, and complete."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from storage.model.close_codes import ADVICE, REASONS, CloseCode
from storage.model.error_codes import ErrorCode
from tests.ingest.api_server import Api
from tests.ingest.documents.frame_schemas import DOCUMENT, check_frame

# As the AsyncAPI initiative publishes it, in one file, without spaces.
SCHEMA = Path(__file__).parent / "vendor/asyncapi-3.0.0.json"


@pytest.mark.quick
def test_the_document_is_valid() -> None:
    """The document passes the official JSON Schema of AsyncAPI 3.0."""
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(DOCUMENT)


@pytest.mark.quick
def test_references_lead_somewhere() -> None:
    """Every reference in the document names something that is in it."""

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(reference := value.get("$ref"), str):
                found: Any = DOCUMENT
                for part in reference.removeprefix("#/").split("/"):
                    found = found[part]
            for part in value.values():
                visit(part)
        elif isinstance(value, list):
            for part in value:
                visit(part)

    visit(DOCUMENT)


@pytest.mark.quick
def test_every_frame_has_an_example_that_is_valid() -> None:
    """Each frame that is pushed has an example with all of its fields, and each field says what it means."""
    messages = DOCUMENT["components"]["messages"]
    for name, message in messages.items():
        for example in message["examples"]:
            if message["contentType"] == "application/json":
                assert check_frame(example["payload"]) == name
            else:
                jsonschema.validate(example["payload"], message["payload"])
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            assert about["description"], (name, field)


@pytest.mark.quick
def test_both_directions_are_there() -> None:
    """The document says what the server sends, what a client sends, and what answers it."""
    operations = DOCUMENT["operations"]
    assert {one["action"] for one in operations.values()} == {"send", "receive"}
    named = json.dumps(operations)
    assert all(f"/messages/{name}" in named for name in DOCUMENT["components"]["messages"])


@pytest.mark.quick
def test_every_close_code_says_what_to_do() -> None:
    """Every code of the gateway is in the document, with why and what to do; codes to reconnect after say so."""
    assert set(ADVICE) == set(REASONS) == set(CloseCode)
    shown = {one["code"]: one for one in DOCUMENT["channels"]["messages"]["x-close-codes"]}
    assert set(shown) == {int(code) for code in CloseCode}
    for code, one in shown.items():
        if 4000 <= code < 4500:
            assert "econnect" in one["do"]
        if code >= 4500:
            assert one["do"].startswith("Do not reconnect")


@pytest.mark.quick
def test_refusals_of_a_handshake_are_errors_of_ours() -> None:
    """Each refusal in the document is an error of the table of codes, as it stands there; no status of the guide is missing."""
    shown = DOCUMENT["channels"]["messages"]["x-handshake-refusals"]
    for one in shown:
        code = ErrorCode[one["code"]]
        assert (code.status, code.meaning, code.advice) == (one["status"], one["why"], one["do"])
    assert {one["status"] for one in shown} == {401, 403, 404, 426, 429, 431, 503}


def test_it_is_served(shared_api: Api) -> None:
    """`/asyncapi.json` is this document."""
    assert shared_api.ask("GET", "//asyncapi.json").json() == json.loads(json.dumps(DOCUMENT))
