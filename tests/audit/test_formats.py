"""Each format, read back by what it is written for, whatever the names in the database."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from markdown_it import MarkdownIt
from pygraphviz import AGraph
from rich.console import Console

from pgvigil.audit import Audit, Inventory, MapRelation, Origin, SchemaInventory, TableInventory
from pgvigil.audit.dot import to_dot
from pgvigil.audit.html import render
from pgvigil.audit.jsons import to_json
from pgvigil.audit.markdown import to_markdown
from pgvigil.audit.mermaid import to_mermaid
from pgvigil.catalog import TableKind, parse_relation
from pgvigil.cli.audit_text import print_text
from tests.audit.odd import ODD
from tests.web.world import NOW

if TYPE_CHECKING:
    from tests.audit.conftest import Audited

ROOT = Path(__file__).parents[2]


@pytest.fixture
def odd(admin_conn: psycopg.Connection, database: str, audited: Audited) -> Audit:
    """The audit of a database with odd names."""
    admin_conn.execute(ODD)
    return audited(database)


@pytest.fixture
def crisis(sample: str, audited: Audited) -> Audit:
    """The audit of the sample."""
    return audited(sample)


def tables_of(audit: Audit) -> set[str]:
    return {str(one.name) for one in audit.inventory.tables}


def test_json_has_the_keys_of_the_contract(crisis: Audit) -> None:
    document = json.loads(to_json(crisis))
    assert document["version"] == 1
    assert document["target"] == "games"
    inventory = document["inventory"]
    figures = ("schemas", "tables", "foreign_keys", "broken_foreign_keys", "rows_estimated", "bytes")
    assert all(isinstance(inventory[name], int) for name in figures)
    assert {"schema", "tables", "rows_estimated", "bytes"} <= inventory["per_schema"][0].keys()
    for name, keys in {
        "relations": {"subject", "origin", "probability", "evidence", "broken"},
        "entity_pairs": {"subject", "probability", "key", "columns", "evidence"},
        "fragmentation": {"title", "subjects", "impact", "rows_at_risk"},
    }.items():
        assert document[name]
        assert all(keys <= one.keys() for one in document[name])
    assert {one["origin"] for one in document["relations"]} <= {"declared", "configured", "inferred"}
    assert {one["impact"] for one in document["fragmentation"]} <= {"critical", "warning", "info"}


def test_every_key_of_the_json_is_documented(crisis: Audit) -> None:
    page = (ROOT / "docs" / "reference" / "audit.md").read_text(encoding="utf-8")
    document = json.loads(to_json(crisis))
    document.pop("schema")
    records = [
        *document["inventory"]["per_schema"],
        *document["inventory"]["per_table"],
        *(
            one
            for name in ("relations", "entity_pairs", "fragmentation", "indexes")
            for one in document[name]
        ),
    ]
    keys = {key for one in (document, document["inventory"], *records) for key in one}
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_json_tells_all_of_an_odd_database(odd: Audit) -> None:
    document = json.loads(to_json(odd))
    assert {one["table"] for one in document["inventory"]["per_table"]} == tables_of(odd)
    assert {one["subject"] for one in document["relations"]} == {one.subject for one in odd.relations}


def cells(markdown: str) -> list[list[str]]:
    """Return the rows of all tables, each cell as what a reader sees, and code as it was."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


def test_markdown_shows_odd_names_as_they_are(odd: Audit) -> None:
    text = to_markdown(odd)
    seen = {row[0] for row in cells(text)} | {row[1] for row in cells(text) if len(row) > 1}
    names = {name.replace("\n", "\\n") for name in tables_of(odd)}
    assert names <= seen
    subjects = {one.subject.replace("\n", "\\n") for one in odd.relations}
    assert subjects <= seen
    assert 'A | comment, with "quotes", `code`, <tags> and\\na second line' in {
        row[-1] for row in cells(text) if len(row) == 8
    }


def test_markdown_has_a_row_for_every_table_and_relation(crisis: Audit) -> None:
    rows = cells(to_markdown(crisis))
    assert tables_of(crisis) <= {row[0] for row in rows}
    assert {one.subject for one in crisis.relations} <= {row[0] for row in rows}


def drawn(dot: str) -> dict[str, Any]:
    """Return the graph as Graphviz has understood it."""
    drawing = AGraph(string=dot).draw(format="dot_json", prog="dot")
    graph: dict[str, Any] = json.loads(drawing)
    return graph


def test_graphviz_reads_the_map(crisis: Audit) -> None:
    graph = drawn(to_dot(crisis))
    clusters = [one["label"] for one in graph["objects"] if one["name"].startswith("cluster")]
    nodes = [one for one in graph["objects"] if not one["name"].startswith("cluster")]
    assert clusters == [schema.name for schema in crisis.inventory.schemas]
    assert len(nodes) == len(crisis.inventory.tables)
    assert len(graph["edges"]) == len(crisis.relations) + len(crisis.entity_pairs)


def test_graphviz_reads_odd_names(odd: Audit) -> None:
    graph = drawn(to_dot(odd))
    labels = {one["label"].replace("\\\\", "\\") for one in graph["objects"]}
    for table in odd.inventory.tables:
        assert table.name.schema in labels
        name = str(table.name).removeprefix(f"{table.name.schema}.").replace("\n", "\\n")
        assert any(name.endswith(label) for label in labels)
    broken = [edge for edge in graph["edges"] if edge.get("color") == "#c62828"]
    assert len(broken) == sum(one.broken is not None for one in odd.relations) > 0


# What Mermaid's lexer takes for a name between quotes, an attribute, and the lines between two entities.
_ENTITY = re.compile(r'  (t\d+)\["([^"%\r\n\v\b\\]+)"\] \{')
_ATTRIBUTE = re.compile(r'    [A-Za-z_]\w* [A-Za-z_]\w* (?:PK|FK|PK, FK)(?: "[^"\n]*")?')
_RELATION = re.compile(r'  (t\d+) \}o(?:--|\.\.)\|\| (t\d+) : "[^"\n]+"')


def read_mermaid(text: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the entities by their shorthand, as a reader sees them, and the relations; refuse all else."""
    head, *lines = text.splitlines()
    assert head == "erDiagram"
    entities, relations = {}, []
    for line in lines:
        if entity := _ENTITY.fullmatch(line):
            entities[entity[1]] = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), entity[2])
        elif relation := _RELATION.fullmatch(line):
            relations.append((relation[1], relation[2]))
        else:
            assert line == "  }" or _ATTRIBUTE.fullmatch(line), line
    return entities, relations


def test_mermaid_has_every_table_and_relation(crisis: Audit, odd: Audit) -> None:
    for audit in (crisis, odd):
        entities, relations = read_mermaid(to_mermaid(audit))
        assert set(entities.values()) == {name.replace("\n", "\\n") for name in tables_of(audit)}
        assert len(relations) == len(audit.relations)
        assert {end for relation in relations for end in relation} <= entities.keys()


def told_by(relation: MapRelation, **more: Any) -> Audit:
    """Return an audit of two tables and a relation."""
    tables = [
        TableInventory(name, TableKind.TABLE, "anna", 1, 1, 0, (), ())
        for name in (relation.relation.child, relation.relation.parent)
    ]
    inventory = Inventory((SchemaInventory("shop", 2, 2, 2),), tuple(tables), 0, 0)
    return Audit("shop", "shop", "18.1", NOW, inventory, relations=(relation,), **more)


def inferred(probability: float, *evidence: str, condition: tuple[str, str] | None = None) -> MapRelation:
    name = parse_relation("shop.audit_log(entity_id) -> shop.users(id)")
    return MapRelation(str(name), name, Origin.INFERRED, probability, evidence, condition=condition)


def test_every_format_says_for_which_rows_alone_a_relation_holds() -> None:
    audit = told_by(inferred(0.9, "names", condition=("entity_type", "it's")))
    where = "where entity_type = 'it''s'"
    assert f"shop.users(id) {where}" in text_of(audit)
    assert f"`shop.audit_log(entity_id) -> shop.users(id)` {where}".replace("_t", "\\_t") in to_markdown(
        audit
    )
    assert f'entity_id {where}, proposed 90#37;"' in to_mermaid(audit)
    assert f"shop.users(id) {where} · " in to_dot(audit)
    assert where.replace("'", "&#39;") in render(audit)


def test_the_text_hides_no_doubt_and_says_what_it_leaves_out() -> None:
    evidence = ("names", "values", "types", "another one would fit as well")
    assert "names; values; … and 2 more\n" in text_of(told_by(inferred(0.95, *evidence)))
    assert f"{'; '.join(evidence)}\n" in text_of(told_by(inferred(0.61, *evidence)))


def test_an_audit_says_which_database_it_was_compared_with() -> None:
    same = told_by(inferred(0.9), compared_with=NOW)
    other = told_by(inferred(0.9), compared_with=NOW, compared_database="stock")
    for audit, words in ((same, "UTC"), (other, "UTC, when it was database stock")):
        head = f"Changed since 2031-05-06 03:00 {words}"
        assert f"{head}\n" in text_of(audit)
        assert f"## {head}\n" in to_markdown(audit)
        assert f"<h2>{head} <span" in render(audit)


def text_of(audit: Audit) -> str:
    console = Console(width=120, highlight=False, soft_wrap=True)
    with console.capture() as captured:
        print_text(audit, console)
    return captured.get()


def test_the_text_names_every_schema_and_what_is_broken(crisis: Audit, odd: Audit) -> None:
    for audit in (crisis, odd):
        text = text_of(audit)
        assert all(schema.name.split('"')[0] in text for schema in audit.inventory.schemas)
        for one in audit.relations:
            if one.broken:
                assert one.subject.replace("\n", "\\n") in text


def test_the_text_is_short_enough_to_be_read(crisis: Audit) -> None:
    assert len(text_of(crisis).splitlines()) < 250
