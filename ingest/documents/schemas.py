"""JSON Schemas of our shapes, with a description for each field: the text that stands under it in the code."""

import ast
import inspect
import textwrap
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

Shape = dict[str, Any]

_REF = "#/components/schemas/{model}"


class Schemas:
    """The schemas that a document refers to by name, collected while it is built."""

    def __init__(self, found: Shape | None = None) -> None:
        self.found: Shape = found or {}

    def refer_to(self, shape: Any, mode: JsonSchemaMode) -> Shape:
        """The schema of a shape, as a reference where it has a name; what it refers to is collected."""
        schema = self._make(shape, mode)
        name = schema.get("title")
        if name is None or schema.get("type") != "object":
            return schema
        self.found[name] = schema
        return {"$ref": _REF.format(model=name)}

    def build_fields(self, shape: Any) -> Shape:
        """The schema of a shape whose fields stand alone, as parameters do; what they refer to is collected."""
        return self._make(shape, "validation")

    def _make(self, shape: Any, mode: JsonSchemaMode) -> Shape:
        schema: Shape = TypeAdapter(shape).json_schema(
            ref_template=_REF, mode=mode, schema_generator=_WithDescriptions
        )
        self.found.update(schema.pop("$defs", {}))
        return schema


class _WithDescriptions(GenerateJsonSchema):
    """Pydantic's generator, which knows neither the text under a dataclass's fields nor that of inherited ones."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return _describe(super().dataclass_schema(schema), schema["cls"])

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return _describe(super().model_schema(schema), schema["cls"])


def _describe(schema: JsonSchemaValue, kind: type) -> JsonSchemaValue:
    for name, text in read_field_texts(kind).items():
        if name in schema.get("properties", {}):
            # The title that pydantic makes of a name says nothing that the name does not.
            field = {k: part for k, part in schema["properties"][name].items() if k != "title"}
            schema["properties"][name] = {**field, "description": text}
    return schema


@cache
def read_field_texts(kind: type) -> dict[str, str]:
    """The text under each field of a class and of those that it inherits from, by the field's name."""
    texts: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if one.__module__.startswith("ingest."):
            texts |= _read_own_texts(one)
    return texts


def _read_own_texts(kind: type) -> dict[str, str]:
    [body] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(body, ast.ClassDef)  # noqa: S101 (what getsource of a class is)
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(text.value.value, str)
    }
