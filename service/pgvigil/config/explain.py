"""Turns what pydantic says about values into what a person needs to hear about settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pgvigil.config.origin import KeyPath, Origin
from pgvigil.errors import ConfigError

_EXPECTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozenset": "a list",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
}


def explain(
    error: ValidationError, model: type[BaseModel], value: object, origin: Origin, section: KeyPath = ()
) -> list[ConfigError]:
    """Return an error for each that pydantic found in `value`, the content of a section of the file."""
    found: dict[tuple[KeyPath, str], None] = {}
    for details in error.errors(include_url=False):
        path = section + _path(value, details)
        found[path, _message(details, model, origin.tag(path))] = None
    return [origin.error(path, message) for path, message in found]


def near_match(name: str, known: Iterable[str]) -> str:
    """Return what to say of an unknown name: `; did you mean 'budget'?`, or the names that there are."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known) or 'none'}"


def _path(value: Any, details: ErrorDetails) -> KeyPath:
    """Follow pydantic's location through the value, leaving out the steps that only pydantic knows."""
    path: list[str | int] = []
    for part in details["loc"]:
        known = (
            part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        )
        if known:
            value = value[part]
        if known or details["type"] == "missing":
            path.append(part)
    return tuple(path)


def _message(details: ErrorDetails, model: type[BaseModel], tag: str | None) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        *above, key = details["loc"]
        return f"unknown key{near_match(str(key), _keys(model, above))}"
    if kind in ("value_error", "assertion_error"):
        return _unless_quoted(str(context["error"]), details["input"], tag)
    if kind == "too_short":
        return f"expected at least {context['min_length']}{_got(details, tag)}"
    if kind in ("enum", "literal_error"):
        return f"expected {context['expected']}{_got(details, tag)}"
    if kind.endswith("_type") or "_parsing" in kind or kind == "int_from_float":
        expected = _EXPECTED.get(kind.partition("_")[0])
        if expected is not None:
            return f"expected {expected}{_got(details, tag)}"
    if details["msg"].startswith("Input should"):
        return details["msg"].removeprefix("Input ") + _got(details, tag)
    return _unless_quoted(details["msg"], details["input"], tag)


def _got(details: ErrorDetails, tag: str | None) -> str:
    """Say what was there instead, but nothing that may be a secret."""
    value = details["input"]
    if tag is not None:
        return f" from {tag}"
    if value is None:
        return ", got nothing"
    if isinstance(value, Mapping):
        return ", got a mapping"
    if isinstance(value, list | tuple):
        return ", got a list" if value else ", got an empty list"
    if isinstance(value, str) and (len(value) > 40 or "://" in value or "=" in value):
        return ", got text"
    return f", got {str(value).lower() if isinstance(value, bool) else repr(value)}"


def _unless_quoted(message: str, value: object, tag: str | None) -> str:
    """Pass a validator's message on, unless it repeats a value that came from outside the file."""
    if tag is None:
        return message
    return f"the value from {tag} does not fit" if str(value) in message else f"{message} ({tag})"


def _keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the keys that the model accepts at a path."""
    annotation: Any = model
    for part in path:
        annotation = next(_inside(annotation, part), None)
    return [
        field.alias or name
        for option in _options(annotation)
        if _is_model(option)
        for name, field in option.model_fields.items()
    ]


def _inside(annotation: Any, part: str | int) -> Iterator[Any]:
    for option in _options(annotation):
        arguments = get_args(option)
        if _is_model(option):
            yield from (field.annotation for name, field in option.model_fields.items() if name == part)
        elif isinstance(part, int) and arguments:
            yield arguments[0]
        elif len(arguments) == 2:
            yield arguments[1]


def _options(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation may stand for, without their decorations."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _options(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for option in get_args(annotation):
            yield from _options(option)
    elif annotation is not NoneType:
        yield annotation


def _is_model(annotation: Any) -> bool:
    # Python 3.11 takes list[int] for a type, but not as an argument of issubclass.
    return (
        get_origin(annotation) is None and isinstance(annotation, type) and issubclass(annotation, BaseModel)
    )
