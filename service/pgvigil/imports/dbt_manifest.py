"""The relationships tests of a dbt `manifest.json`, which knows where its models and sources live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pgvigil.imports.dbt_reference import Reference, arguments_of, is_relationship, read_reference, why_not
from pgvigil.imports.fitting import Named, Written

Node = Mapping[str, Any]


def manifest_relations(manifest: Mapping[str, Any]) -> Iterator[Written]:
    """Yield the relations of the manifest of any version."""
    nodes: dict[str, Node] = {**manifest["nodes"], **(manifest.get("sources") or {})}
    for key, test in manifest["nodes"].items():
        of_test = test.get("test_metadata") or {}
        if test.get("resource_type") == "test" and is_relationship(str(of_test.get("name", ""))):
            yield _relation(str(key), test, of_test, nodes)


def _relation(key: str, test: Node, of_test: Node, nodes: Mapping[str, Node]) -> Written:
    said = arguments_of({**(of_test.get("kwargs") or {}), "config": test.get("config")})
    where = str(test.get("name") or key)
    column = str(said.get("column_name") or test.get("column_name") or said.get("from") or "")
    depends = [one for one in (test.get("depends_on") or {}).get("nodes") or () if one in nodes]
    reference = read_reference(str(said.get("to", "")))
    parent = None if reference is None else _found(reference, depends, nodes)
    child = _child(test, str(said.get("model", "")), parent, depends, nodes)
    if parent is None or child is None or not column or not said.get("field"):
        unclear = Named(str(said.get("to", "")))
        return Written(where, unclear, column, unclear, reason="model, `to`, `field` or column is not clear")
    return Written(
        where,
        _named(nodes[child]),
        column,
        _named(nodes[parent]),
        str(said["field"]),
        why_not(str(of_test["name"]), said),
    )


def _found(reference: Reference, keys: Sequence[str], nodes: Mapping[str, Node]) -> str | None:
    """Return which of the nodes is referred to."""
    for key in keys:
        node = nodes[key]
        version = "" if node.get("version") is None else str(node["version"])
        if (
            node["name"] == reference.name
            and reference.source == str(node.get("source_name") or "")
            and reference.version in {"", version}
        ):
            return key
    return None


def _child(
    test: Node, model: str, parent: str | None, depends: Sequence[str], nodes: Mapping[str, Node]
) -> str | None:
    """Return the node that is tested: it is told since dbt 1.5; before, it is the other one of the two."""
    attached = test.get("attached_node")
    if attached in nodes:
        return str(attached)
    reference = read_reference(model)
    found = None if reference is None else _found(reference, depends, nodes)
    others = [one for one in depends if one != parent]
    return found or (others[0] if others else parent)


def _named(node: Node) -> Named:
    name = node.get("alias") or node.get("identifier") or node["name"]
    return Named(str(name), str(node["schema"]))
