"""Frames held against `/asyncapi.json`: each as its schema says, and with no field that the document does not have."""

from typing import Any

import jsonschema

from ingest.documents.asyncapi import build_socket_document

DOCUMENT = build_socket_document()


def check_frame(frame: Any) -> str:
    """Check one frame, and return its type. Fails the test for a type or a field that is not in the document."""
    message = DOCUMENT["components"]["messages"][frame["type"]]
    jsonschema.validate(frame, {**message["payload"], "components": DOCUMENT["components"]})
    assert list_names(frame) == list_names(message["examples"][0]["payload"])
    return str(frame["type"])


def list_names(frame: Any) -> tuple[list[str], list[str]]:
    """The names of a frame's fields and of its data's, in their order."""
    return list(frame), list(frame.get("data", ()))
