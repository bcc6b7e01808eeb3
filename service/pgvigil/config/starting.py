"""The file that `pgvigil init` writes: ready to run, commented, with what was inferred of the database.

Prose follows `# `, settings that are commented out follow `#` alone: removing that one character puts them
into force.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Params, describe
from pgvigil.config.dsn import DSN_VARIABLE
from pgvigil.config.origin import one_line
from pgvigil.config.proposed import Proposals
from pgvigil.config.schema import settings_schema
from pgvigil.config.serving import Web
from pgvigil.config.settings import Budget, Settings, TargetSettings
from pgvigil.config.written import flow, line, prose

TOKEN_VARIABLE = "PGVIGIL_TOKEN"

_MOST_SCHEMAS = 50
_MOST_EXAMPLES = 3
_ANY_RELATION = "schema.child(column) -> schema.parent(column)"
_ANY_PAIR = {"left": "schema.left", "right": "schema.right", "key": {"id": "id"}}
_DECLARED = "Some that are declared today:"
_MADE_UP = "For example:"
_NIGHT = "22:00-06:00"
_ZONES = "landing raw bronze ingest staging stage silver core curated gold marts mart".split()

_FILE = """\
{head}
# Everything but the DSN has a default. To activate a setting that is commented out, remove the # in front
# of it, and in front of each line that belongs to it.
# Validate with `pgvigil config check FILE`; `pgvigil config schema` tells an editor all that may be here.

state: {state}  # or postgresql+psycopg://USER@HOST/DATABASE
web:
  listen: {listen}
{tokens}

targets:
  {name}:
    dsn: !env {variable}  # or !file /run/secrets/dsn; a password has no place in this file
    every: {every}  # or cron: "*/5 * * * *", in UTC; both also per check
{seen}
    schemas: {schemas}
    # Schemas in the order in which data moves through them:
    #zones: {zones}
{budget}
{changes}
    checks:
{checks}
"""


def starting_file(
    name: str,
    catalog: Catalog | None,
    types: Mapping[str, type[Check[Any]]],
    proposals: Proposals | None = None,
) -> str:
    """Return the text of a file that watches one target, whose DSN comes from the environment.

    `catalog` is what was discovered, None when no database was asked; `types` are the installed checks. Of
    `proposals`, what people have adopted is in force.
    """
    target = settings_schema(TargetSettings)["properties"]
    settings = settings_schema(Settings)["properties"]
    return _FILE.format(
        head=_head(catalog),
        state=settings["state"]["default"],
        listen=flow(Web().listen),
        tokens="\n".join(_tokens()),
        name=flow(name),
        variable=DSN_VARIABLE,
        every=target["every"]["default"],
        seen="\n".join(_seen(catalog)),
        schemas=flow({"include": ["*"], "exclude": [], "deprecated": []}),
        zones=flow(_zones(_schemas(catalog))),
        budget="\n".join(_budget(target["budget"])),
        changes="\n".join(_changes(target["changes"])),
        checks="\n".join(
            one for check in types.values() for one in _check(check, catalog, proposals or Proposals())
        ),
    )


def _tokens() -> Iterator[str]:
    """Yield who may tell pgvigil something, commented out."""
    yield from prose(
        "Who may adopt proposals, accept schemas and mark deployments: tokens for the commands, of 16 or "
        "more characters (`openssl rand -hex 32` makes one); on the console people log in, as users of "
        "`config_file`.",
        2,
    )
    yield "  #tokens:"
    yield f"  #  me: {{token: !env {TOKEN_VARIABLE}, scope: write}}"


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


def _zones(schemas: Sequence[str]) -> Sequence[str]:
    """Return schemas that are called like zones, in the usual order of those, or else some others."""
    zones = [zone for zone in _ZONES if zone in schemas]
    return zones if len(zones) > 1 else schemas[:3] or ("raw", "staging", "curated")


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


def _budget(setting: Mapping[str, Any]) -> Iterator[str]:
    """Yield what pgvigil may take, the defaults in force, and the hours that it may be restricted to."""
    yield from prose(setting["description"], 4)
    yield "    budget:"
    for name, value in Budget().model_dump(mode="json", exclude={"chunk", "pause", "window"}).items():
        yield f"      {name}: {flow(value)}"
    yield from prose(settings_schema(Budget)["properties"]["window"]["description"], 6)
    yield f"      #window: {flow(_NIGHT)}"


def _changes(setting: Mapping[str, Any]) -> Iterator[str]:
    yield from prose(setting["description"], 4)
    yield "    #changes: logical"


def _check(check: type[Check[Any]], catalog: Catalog | None, proposals: Proposals) -> Iterator[str]:
    """Yield a check's section: what it finds, and its settings commented out."""
    yield from prose(f"{describe(check).summary} See `pgvigil checks {check.name}`.", 6)
    yield f"      {check.name}:"
    yield "        enabled: true"
    yield "        #every: 1h"
    schema = next(iter(_schemas(catalog)), "monitoring")
    yield f"        #severity: {flow({f'{schema}.*': 'warning'})}"
    for name, setting in settings_schema(check.params_type)["properties"].items():
        if name in Params.model_fields:
            continue
        yield from prose(setting.get("description", ""), 8)
        written = list(proposals.written(check.name, name))
        yield from written or _example(name, setting, catalog)


def _example(name: str, setting: Mapping[str, Any], catalog: Catalog | None) -> Iterator[str]:
    """Yield a setting commented out.

    Every check names relations and pairs alike, so that their examples can speak of tables that are there.
    """
    if name == "relations":
        yield from _commented(name, _MADE_UP, [_ANY_RELATION])
    elif name == "expected":
        keys = islice(catalog.watched_foreign_keys() if catalog else (), _MOST_EXAMPLES)
        declared = [str(key.relation) for key in keys]
        yield from _commented(name, _DECLARED if declared else _MADE_UP, declared or [_ANY_RELATION])
    elif name == "pairs":
        yield from _commented(name, _MADE_UP, [_ANY_PAIR])
    elif setting.get("default") is not None:
        yield f"        #{flow(name)}: {flow(setting['default'])}"


def _commented(name: str, origin: str, items: Sequence[str | Mapping[str, Any]]) -> Iterator[str]:
    """Yield a setting that is a list, one item after the other, with mappings one key a line.

    `origin` says where the items come from.
    """
    yield f"        # {origin}"
    yield f"        #{name}:"
    for item in items:
        lines = [line(item)] if isinstance(item, str) else [f"{key}: {line(item[key])}" for key in item]
        yield f"        #  - {lines[0]}"
        yield from (f"        #    {one}" for one in lines[1:])
