"""The relationships tests of a dbt `schema.yml`, whose tables are known by the names of their models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pgvigil.imports.dbt_reference import Reference, arguments_of, is_relationship, read_reference, why_not
from pgvigil.imports.fitting import Named, Written

_MODELS = ("models", "seeds", "snapshots")
# Of a model and of a column; the first is the newer one.
_TESTS = ("data_tests", "tests")


def schema_relations(document: Mapping[str, Any]) -> Iterator[Written]:
    """Yield the relations of a file with models, seeds, snapshots or sources."""
    sources = _sources(document)
    models = _models(document)
    for kind in _MODELS:
        for model in document.get(kind) or ():
            named = models[str(model["name"])]
            yield from _relations(f"{kind}.{model['name']}", named, model, models, sources)
    for source in document.get("sources") or ():
        for table in source.get("tables") or ():
            key = str(source["name"]), str(table["name"])
            where = f"sources.{source['name']}.{table['name']}"
            yield from _relations(where, sources[key], table, models, sources)


def _relations(
    where: str,
    child: Named,
    block: Mapping[str, Any],
    models: Mapping[str, Named],
    sources: Mapping[tuple[str, str], Named],
) -> Iterator[Written]:
    places = [("", block), *((str(column["name"]), column) for column in block.get("columns") or ())]
    for column, place in places:
        for name, test in _tests(place):
            said = arguments_of(test)
            reference = read_reference(str(said.get("to", "")))
            child_column = column or str(said.get("column_name") or said.get("from") or "")
            at = f"{where}.{child_column}" if child_column else where
            if reference is None or not child_column or not said.get("field"):
                unclear = Named(str(said.get("to", "")))
                yield Written(at, child, child_column, unclear, reason="`to`, `field` or column is not clear")
                continue
            yield Written(
                at,
                child,
                child_column,
                _parent(reference, models, sources),
                str(said["field"]),
                why_not(name, said),
            )


def _tests(place: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the relationships tests of a model or column, each with its name."""
    for key in _TESTS:
        for test in place.get(key) or ():
            if not isinstance(test, Mapping):
                continue
            if "test_name" in test:
                name, said = str(test["test_name"]), test
            else:
                name, said = next(((str(one), value) for one, value in test.items()), ("", {}))
            if is_relationship(name) and isinstance(said, Mapping):
                # Beside the test's name there may be its settings.
                yield name, {**test, **said}


def _parent(
    reference: Reference, models: Mapping[str, Named], sources: Mapping[tuple[str, str], Named]
) -> Named:
    if reference.source:
        known = sources.get((reference.source, reference.name))
        return known or Named(reference.name, reference.source, exact=False)
    if reference.version:
        return Named(f"{reference.name}_v{reference.version}")
    return models.get(reference.name) or Named(reference.name)


def _models(document: Mapping[str, Any]) -> dict[str, Named]:
    """Return the tables of the models that the file has, which may be called otherwise, elsewhere."""
    found: dict[str, Named] = {}
    for kind in _MODELS:
        for model in document.get(kind) or ():
            config = model.get("config") or {}
            alias = str(config.get("alias") or model["name"])
            found[str(model["name"])] = Named(alias, str(config.get("schema") or ""), exact=False)
    return found


def _sources(document: Mapping[str, Any]) -> dict[tuple[str, str], Named]:
    return {
        (str(source["name"]), str(table["name"])): Named(
            str(table.get("identifier") or table["name"]), str(source.get("schema") or source["name"])
        )
        for source in document.get("sources") or ()
        for table in source.get("tables") or ()
    }
