"""The file that `pgvigil init` writes: ready to run, commented, with examples from the database's own tables.

Prose follows `# `, settings that are commented out follow `#` alone: removing that one character puts them
into force.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import yaml

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Params, describe
from pgvigil.config.candidates import candidate_pair, candidate_relations
from pgvigil.config.origin import one_line
from pgvigil.config.schema import settings_schema
from pgvigil.config.serving import Web
from pgvigil.config.settings import Budget, Settings, TargetSettings

DSN_VARIABLE = "PGVIGIL_DSN"

_WIDTH = 100
_MOST_SCHEMAS = 50
_MOST_EXAMPLES = 3
_ANY_RELATION = "schema.child(column) -> schema.parent(column)"
_ANY_PAIR = {"left": "schema.left", "right": "schema.right", "key": {"id": "id"}}
_GUESSED = "Going by names alone, for example:"
_DECLARED = "Some that are declared today:"
_MADE_UP = "For example:"
# textwrap breaks no line here.
_NO_BREAK = "\xa0"
_CODE = re.compile(r"`[^`]+`")
# Words and durations: no numbers, truth values or nulls, and no character that means something.
_PLAIN = re.compile(
    r"(?!(?:null|true|false|yes|no|on|off|y|n)$)[A-Za-z_][A-Za-z0-9_.-]*|[0-9]+(?:ms|s|m|h|d)", re.IGNORECASE
)
# On a line of its own more characters mean nothing.
_PLAIN_RELATION = re.compile(r"[a-z_][a-z0-9_.]*\([a-z0-9_, ]+\) -> [a-z0-9_.]+\([a-z0-9_, ]+\)")

_FILE = """\
{head}
# Everything but the DSN has a default. To activate a setting that is commented out, remove the # in front
# of it, and in front of each line that belongs to it.
# Validate with `pgvigil config check FILE`; `pgvigil config schema` tells an editor all that may be here.

state: {state}  # or postgresql+psycopg://USER@HOST/DATABASE
web: {web}

targets:
  {name}:
    dsn: !env {variable}  # or !file /run/secrets/dsn; a password has no place in this file
    every: {every}  # or cron: "*/5 * * * *", in UTC; both also per check
{seen}
    schemas: {schemas}
    # Schemas in the order in which data moves through them:
    #zones: {zones}
    budget: {budget}
    checks:
{checks}
"""


def starting_file(name: str, catalog: Catalog | None, types: Mapping[str, type[Check[Any]]]) -> str:
    """Return the text of a file that watches one target, whose DSN comes from the environment.

    `catalog` is what was discovered, None when no database was asked; `types` are the installed checks.
    """
    target = settings_schema(TargetSettings)["properties"]
    settings = settings_schema(Settings)["properties"]
    return _FILE.format(
        head=_head(catalog),
        state=settings["state"]["default"],
        web=_flow({"listen": Web().listen}),
        name=_flow(name),
        variable=DSN_VARIABLE,
        every=target["every"]["default"],
        seen="\n".join(_seen(catalog)),
        schemas=_flow({"include": ["*"], "exclude": [], "deprecated": []}),
        zones=_flow(_schemas(catalog)[:3] or ["raw", "staging", "curated"]),
        budget=_flow(Budget().model_dump(exclude={"chunk", "pause", "window"})),
        checks="\n".join(line for check in types.values() for line in _check(check, catalog)),
    )


def _head(catalog: Catalog | None) -> str:
    if catalog is None:
        return "# What pgvigil watches."
    tables, keys = list(catalog.watched_tables()), list(catalog.watched_foreign_keys())
    counts = ((_schemas(catalog), "schema"), (tables, "table"), (keys, "foreign key"))
    held = ", ".join(_count(len(things), word) for things, word in counts)
    return f"# What pgvigil watches; written for database {one_line(catalog.database)}: {held}."


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _schemas(catalog: Catalog | None) -> list[str]:
    return sorted({table.schema for table in catalog.watched_tables()}) if catalog else []


def _seen(catalog: Catalog | None) -> Iterator[str]:
    """Yield a comment that says how much each schema holds."""
    if catalog is None:
        yield "    # Which schemas are watched, and which are on their way out. Names may have * and ?."
        return
    tables = Counter(table.schema for table in catalog.watched_tables())
    keys = Counter(key.child.schema for key in catalog.watched_foreign_keys())
    yield "    # Which schemas are watched, which are on their way out. Names may have * and ?. There are:"
    schemas = _schemas(catalog)
    for schema in schemas[:_MOST_SCHEMAS]:
        held = f"{_count(tables[schema], 'table')}, {_count(keys[schema], 'foreign key')}"
        yield f"    # {one_line(schema)}: {held}"
    if len(schemas) > _MOST_SCHEMAS:
        yield f"    # … and {len(schemas) - _MOST_SCHEMAS} more"


def _check(check: type[Check[Any]], catalog: Catalog | None) -> Iterator[str]:
    """Yield a check's section: what it finds, and its settings commented out."""
    yield from _prose(f"{describe(check).summary} See `pgvigil checks {check.name}`.", 6)
    yield f"      {check.name}:"
    yield "        enabled: true"
    yield "        #every: 1h"
    schema = next(iter(_schemas(catalog)), "monitoring")
    yield f"        #severity: {_flow({f'{schema}.*': 'warning'})}"
    for name, setting in settings_schema(check.params_type)["properties"].items():
        if name in Params.model_fields:
            continue
        yield from _prose(setting.get("description", ""), 8)
        yield from _example(name, setting, catalog)


def _example(name: str, setting: Mapping[str, Any], catalog: Catalog | None) -> Iterator[str]:
    """Yield a setting commented out.

    Every check names relations and pairs alike, so that their examples can speak of tables that are there.
    """
    if name == "relations":
        guessed = candidate_relations(catalog, _MOST_EXAMPLES) if catalog else []
        yield from _commented(name, _GUESSED, list(map(str, guessed)), _ANY_RELATION)
    elif name == "expected":
        keys = islice(catalog.watched_foreign_keys() if catalog else (), _MOST_EXAMPLES)
        yield from _commented(name, _DECLARED, [str(key.relation) for key in keys], _ANY_RELATION)
    elif name == "pairs":
        yield from _commented(name, _GUESSED, _pairs(catalog), _ANY_PAIR)
    elif setting.get("default") is not None:
        yield f"        #{_flow(name)}: {_flow(setting['default'])}"


def _pairs(catalog: Catalog | None) -> list[Mapping[str, Any]]:
    found = candidate_pair(catalog) if catalog else None
    if found is None:
        return []
    pair, columns = found
    return [{"left": str(pair.left), "right": str(pair.right), "key": {name: name for name in columns}}]


def _commented(
    name: str, origin: str, found: Sequence[str | Mapping[str, Any]], made_up: str | Mapping[str, Any]
) -> Iterator[str]:
    """Yield a setting that is a list, one item after the other, with mappings one key a line.

    `origin` says where the found items come from; where none were found the made-up one is shown.
    """
    yield f"        # {origin if found else _MADE_UP}"
    yield f"        #{name}:"
    for item in found or (made_up,):
        lines = [_line(item)] if isinstance(item, str) else [f"{key}: {_line(item[key])}" for key in item]
        yield f"        #  - {lines[0]}"
        yield from (f"        #    {line}" for line in lines[1:])


def _line(value: Any) -> str:
    plain = isinstance(value, str) and _PLAIN_RELATION.fullmatch(value)
    return str(value) if plain else _flow(value)


def _prose(text: str, indent: int) -> Iterable[str]:
    prefix = " " * indent + "# "
    # A command or a relation that stands on two lines is hard to copy.
    unbroken = _CODE.sub(lambda code: code[0].replace(" ", _NO_BREAK), one_line(text))
    lines = textwrap.wrap(
        unbroken, _WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False
    )
    return [line.replace(_NO_BREAK, " ") for line in lines]


def _flow(value: Any) -> str:
    """Write a value on one line of YAML, as plainly as it can be."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf).strip()
    return value if isinstance(value, str) else json.dumps(value)
