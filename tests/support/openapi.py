# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls held against the published specifications of providers (OpenAPI 3.0 and 3.1)."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SPECIFICATIONS = Path(__file__).resolve().parents[2] / "../shared/specs"
# What may stand in a form or a query, where everything is text, for a type of the specification.
TEXTS = {
    "integer": re.compile(r"-?\d+\Z"),
    "number": re.compile(r"-?\d+(\.\d+)?\Z"),
    # Mailgun's live API takes yes and no as well.
    "boolean": re.compile(r"(?:true|false|yes|no)\Z"),
}
Values = Mapping[str, str | Sequence[str]]


class Specification:
    """One provider's specification; the tests that ask it are skipped where it is not there.

    `base` is what its paths begin with beside what stands in the specification.
    """

    def __init__(self, provider: str, file: str, base: str = "") -> None:
        self.file = SPECIFICATIONS / file
        self._provider = provider
        self._base = base

    def check_request(
        self, method: str, path: str, query: Values | None = None, form: Values | None = None, body: Any = None
    ) -> None:
        """Assert that a request is one of the specification's: path, names, what is required, types.

        A form's values may be lists, for a field that comes more than once; `body` is what goes out as JSON.
        """
        problems = self.request_problems(method, path, query, form, body)
        assert not problems, problems

    def request_problems(
        self, method: str, path: str, query: Values | None = None, form: Values | None = None, body: Any = None
    ) -> list[str]:
        """Return what is wrong with a request, each a sentence; nothing if it is as `check_request` wants it."""
        operation = self._operation(method, path)
        if operation is None:
            return [f"{method} {path} is not in the specification"]
        parameters = [one for one in operation.get("parameters", []) if one["in"] == "query"]
        known = {one["name"]: one.get("schema", {}) for one in parameters}
        required = [one["name"] for one in parameters if one.get("required")]
        problems = [*self._problems("query", query or {}, known, required)]
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content and (schema := content["application/json"].get("schema")):
            problems += self._schema_problems(self._for_requests(schema), body)
        elif content and "application/json" not in content:
            (described,) = [self._resolved(one["schema"]) for one in content.values()]
            problems += self._problems(
                "form", form or {}, described.get("properties", {}), described.get("required", [])
            )
        elif form or body:
            problems.append("a body is unknown")
        return [f"{method} {path}: {problem}" for problem in problems]

    def answer_problems(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Return what is wrong with an answer: a status or a body that the specification does not know for this call.

        A body that is text is no JSON; None is no body.
        """
        operation = self._operation(method, path)
        if operation is None:
            return [f"{method} {path} is not in the specification"]
        answers = {name.lower(): answer for name, answer in operation["responses"].items()}
        answer = answers.get(str(status)) or answers.get(f"{status // 100}xx") or answers.get("default")
        if answer is None:
            return [f"status {status} is not in the specification"]
        if "content" not in answer:
            return [] if body is None else ["there is a body"]
        schema = answer["content"]["application/json"]["schema"]
        if status >= 400 and "allOf" in schema:
            # Cloudflare's errors are a success and a failure at once, which nothing can be: the failure comes last.
            schema = schema["allOf"][-1]
        return self._schema_problems(schema, body)

    def _for_requests(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return what a body of a request is held against.

        Of Cloudflare's record what is required of all kinds is what answers have; each kind tells what it wants.
        """
        resolved = self._resolved(schema)
        return {"oneOf": resolved["oneOf"]} if "oneOf" in resolved else schema

    def _schema_problems(self, schema: dict[str, Any], body: Any) -> list[str]:
        whole = {**schema, "components": self._whole.get("components", {})}
        found = jsonschema.Draft202012Validator(whole).iter_errors(body)
        return sorted(f"{'.'.join(map(str, error.path)) or 'body'}: {error.message}" for error in found)

    @functools.cached_property
    def _whole(self) -> dict[str, Any]:
        if not self.file.exists():
            pytest.skip(f"{self._provider}'s specification is not there: {self.file}")
        specification: dict[str, Any] = json.loads(self.file.read_text())
        return _modern(specification) if specification["openapi"].startswith("3.0") else specification

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        """Return a call's description; a path without variable parts comes first."""
        for template in sorted(self._whole["paths"], key=lambda template: template.count("{")):
            pattern = re.escape(self._base) + re.sub(r"{[^}]*}", "[^/]+", template)
            operation: dict[str, Any] | None = self._whole["paths"][template].get(method.lower())
            if operation and re.fullmatch(pattern, path):
                return operation
        return None

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        found: dict[str, Any] = self._whole["components"]["schemas"][name] if name else schema
        return found

    def _problems(self, place: str, given: Values, known: Mapping[str, Any], required: Sequence[str]) -> Iterator[str]:
        for name in required:
            if name not in given:
                yield f"{place}: {name} is missing"
        for name, values in given.items():
            if name not in known:
                yield f"{place}: {name} is unknown"
                continue
            schema = self._resolved(known[name])
            pattern = TEXTS.get(schema.get("type", ""))
            for value in [values] if isinstance(values, str) else values:
                if pattern and not pattern.match(value):
                    yield f"{place}: {name} is {value!r}"
                elif "enum" in schema and value not in schema["enum"]:
                    yield f"{place}: {name} is {value!r}, none of {schema['enum']}"
                elif pattern and schema["type"] != "boolean":
                    yield from (f"{place}: {name}: {text}" for text in self._schema_problems(schema, float(value)))


def _modern(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema 2020-12, which OpenAPI 3.1 has: there null is a type."""
    if isinstance(schema, list):
        return [_modern(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {name: _modern(one) for name, one in schema.items()}
    if converted.pop("nullable", None) is True and isinstance(converted.get("type"), str):
        converted["type"] = [converted["type"], "null"]
    return converted


MAILGUN = Specification("Mailgun", "mailgun.openapi.json")
DIGITALOCEAN = Specification("DigitalOcean", "digitalocean-domains.openapi.json")
CLOUDFLARE = Specification("Cloudflare", "cloudflare-dns.openapi.json", "/client/v4")
