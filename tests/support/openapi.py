# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls held against Mailgun's published specification (OpenAPI 3.1, whose schemas are JSON Schema 2020-12)."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

FILE = Path(__file__).resolve().parents[2] / "../shared/specs/mailgun.openapi.json"
# What may stand in a form or a query, where everything is text, for a type of the specification.
TEXTS = {
    "integer": re.compile(r"-?\d+\Z"),
    # The live API takes yes and no as well.
    "boolean": re.compile(r"(?:true|false|yes|no)\Z"),
}
Values = Mapping[str, str | Sequence[str]]


def check_request(method: str, path: str, query: Values | None = None, form: Values | None = None) -> None:
    """Assert that a request is one of the specification's: path, names, what is required, types.

    A form's values may be lists, for a field that comes more than once. Skips the test where there is no specification.
    """
    problems = request_problems(method, path, query, form)
    assert not problems, problems


def request_problems(method: str, path: str, query: Values | None = None, form: Values | None = None) -> list[str]:
    """Return what is wrong with a request, each a sentence; nothing if it is as `check_request` wants it."""
    operation = _operation(method, path)
    if operation is None:
        return [f"{method} {path} is not in the specification"]
    parameters = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    known = {one["name"]: one.get("schema", {}) for one in parameters}
    required = [one["name"] for one in parameters if one.get("required")]
    problems = [*_problems("query", query or {}, known, required)]
    (body,) = [
        _resolved(content["schema"]) for content in operation.get("requestBody", {}).get("content", {}).values()
    ] or [{}]
    problems += _problems("form", form or {}, body.get("properties", {}), body.get("required", []))
    return [f"{method} {path}: {problem}" for problem in problems]


def check_answer(method: str, path: str, status: int, body: Any) -> None:
    """Assert that an answer has a status and a body that the specification knows for this call."""
    problems = answer_problems(method, path, status, body)
    assert not problems, problems


def answer_problems(method: str, path: str, status: int, body: Any) -> list[str]:
    """Return what is wrong with an answer: a body that is text is no JSON."""
    operation = _operation(method, path)
    if operation is None:
        return [f"{method} {path} is not in the specification"]
    answer = operation["responses"].get(str(status))
    if answer is None:
        return [f"status {status} is not in the specification"]
    schema = {**answer["content"]["application/json"]["schema"], "components": _specification()["components"]}
    found = jsonschema.Draft202012Validator(schema).iter_errors(body)
    return sorted(f"{'.'.join(map(str, error.path)) or 'body'}: {error.message}" for error in found)


@functools.cache
def _specification() -> dict[str, Any]:
    if not FILE.exists():
        pytest.skip(f"Mailgun's specification is not there: {FILE}")
    specification: dict[str, Any] = json.loads(FILE.read_text())
    return specification


@functools.cache
def _operation(method: str, path: str) -> dict[str, Any] | None:
    """Return a call's description; a path without variable parts comes first."""
    for template in sorted(_specification()["paths"], key=lambda template: template.count("{")):
        pattern = re.sub(r"{[^}]*}", "[^/]+", template)
        operation: dict[str, Any] | None = _specification()["paths"][template].get(method.lower())
        if operation and re.fullmatch(pattern, path):
            return operation
    return None


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = _specification()["components"]["schemas"][name] if name else schema
    return found


def _problems(place: str, given: Values, known: Mapping[str, Any], required: Sequence[str]) -> Iterator[str]:
    for name in required:
        if name not in given:
            yield f"{place}: {name} is missing"
    for name, values in given.items():
        if name not in known:
            yield f"{place}: {name} is unknown"
            continue
        pattern = TEXTS.get(_resolved(known[name]).get("type", ""))
        for value in [values] if isinstance(values, str) else values:
            if pattern and not pattern.match(value):
                yield f"{place}: {name} is {value!r}"
