"""Turns what pydantic says about values into what a person needs to hear about settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
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
    got = _got(details["input"], tag, secret=_may_be_secret(model, details["loc"]))
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        *above, key = details["loc"]
        return f"unknown key{near_match(str(key), _keys(model, above))}"
    if kind in ("value_error", "assertion_error"):
        return _unless_quoted(str(context["error"]), details["input"], tag)
    if kind == "too_short":
        return f"expected at least {context['min_length']}{got}"
    if kind in ("enum", "literal_error"):
        return f"expected {context['expected']}{got}"
    if kind.endswith("_type") or "_parsing" in kind or kind == "int_from_float":
        expected = _EXPECTED.get(kind.partition("_")[0])
        if expected is not None:
            return f"expected {expected}{got}"
    if details["msg"].startswith("Input should"):
        return details["msg"].removeprefix("Input ") + got
    return _unless_quoted(details["msg"], details["input"], tag)


def _got(value: object, tag: str | None, *, secret: bool) -> str:
    """Say what was there instead, but nothing that may be a secret."""
    if tag is not None:
        return f" from {tag}"
    if value is None:
        return ", got nothing"
    if isinstance(value, Mapping):
        return ", got a mapping"
    if isinstance(value, list | tuple):
        return ", got a list" if value else ", got an empty list"
    if isinstance(value, str) and (secret or len(value) > 40 or "://" in value or "=" in value):
        return ", got text"
    if secret:
        return ", got a number" if isinstance(value, int | float) else ", got something else"
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


def _may_be_secret(model: type[BaseModel], path: Sequence[str | int]) -> bool:
    """Tell whether a secret belongs at a path, or below it: who leaves out a key writes it there."""
    annotation: Any = model
    for part in path:
        # Steps that only pydantic knows lead nowhere.
        annotation = next(_inside(annotation, part), annotation)
    return annotation is not model and _holds_secret(annotation, set())


def _holds_secret(annotation: Any, seen: set[type[BaseModel]]) -> bool:
    for option in _options(annotation):
        below: Iterable[Any] = get_args(option)
        if option is SecretStr:
            return True
        if _is_model(option) and option not in seen:
            seen.add(option)
            below = [field.annotation for field in option.model_fields.values()]
        if any(_holds_secret(each, seen) for each in below):
            return True
    return False


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
