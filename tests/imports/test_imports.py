"""What a team wrote down elsewhere becomes relations of the database that there is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.cli.options import FileKind
from pgvigil.errors import UsageError
from pgvigil.imports import KINDS, Imported, imported_relations
from pgvigil.target import Target
from tests.databases import fresh_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pgvigil.catalog import Catalog
    from pgvigil.embedded import Server
    from pgvigil.imports import Kind

    Import = Callable[..., Imported]

GIVEN = """
    CREATE SCHEMA shop; CREATE SCHEMA dev_marts; CREATE SCHEMA raw;
    CREATE TABLE shop.orders (id int PRIMARY KEY, customer_id int, "Parent" int, amount int);
    CREATE TABLE shop.customers (id int PRIMARY KEY, "Mail" text);
    CREATE TABLE raw.customers (id int, code text);
    CREATE TABLE dev_marts.fct_sales (order_id int, customer_id int);
    CREATE TABLE dev_marts.dim_customers_v2 (id int);
    CREATE TABLE users (id int PRIMARY KEY);
    CREATE TABLE ci_builds (id int PRIMARY KEY, user_id int, other_id int);
    CREATE TABLE ci_stages (build_id int REFERENCES ci_builds, user_id int);
    CREATE TABLE parts (a int, b int, PRIMARY KEY (a, b));
"""


@pytest.fixture(scope="module")
def catalog(pg_server: Server) -> Iterator[Catalog]:
    with fresh_database(pg_server) as dsn:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(GIVEN)
        target = Target("shop", dsn)
        yield target.read_catalog()
        target.close()


@pytest.fixture
def imported(tmp_path: Path, catalog: Catalog) -> Import:
    """`imported(text or JSON, kind)`: what comes of a file."""

    def read(content: Any, kind: Kind = "dbt") -> Imported:
        text = content if isinstance(content, str) else json.dumps(content)
        path = tmp_path / ("file.yml" if isinstance(content, str) else "manifest.json")
        path.write_text(text)
        return imported_relations(kind, path, catalog)

    return read


def names(imported: Imported) -> list[str]:
    return [str(one) for one in imported.relations]


def schema_yml(test: str, name: str = "orders", column: str = "customer_id", tests: str = "tests") -> str:
    return f"""
version: 2
models:
  - name: {name}
    columns:
      - name: {column}
        {tests}:
          - not_null
          - unique: {{severity: warn}}
{test}
"""


ORDERS = "shop.orders(customer_id) -> shop.customers(id)"


@pytest.mark.parametrize("tests", ["tests", "data_tests"])
@pytest.mark.parametrize(
    "test",
    [
        "          - relationships: {to: ref('customers'), field: id}",
        "          - relationships: {to: \"ref('my_package', 'customers')\", field: id, severity: warn}",
        '          - relationships: {arguments: {to: ref("customers"), field: ID}}',
        "          - {name: a_name_of_its_own, test_name: relationships, to: ref('customers'), field: id}",
        "          - dbt.relationships: {to: \"{{ ref('customers') }}\", field: id}",
    ],
)
def test_every_way_to_write_a_relationships_test(imported: Import, test: str, tests: str) -> None:
    found = imported(schema_yml(test, tests=tests))
    assert (names(found), found.problems) == ([ORDERS], ())


def test_tests_of_models_sources_seeds_and_versions(imported: Import) -> None:
    found = imported("""
version: 2
models:
  - name: sales
    config: {alias: fct_sales, schema: marts}
    data_tests:
      - relationships: {column_name: order_id, to: ref('orders'), field: id}
    columns:
      - name: customer_id
        data_tests:
          - relationships: {to: "ref('dim_customers', v=2)", field: id}
seeds:
  - name: users
    columns: [{name: id, tests: [{relationships: {to: "source('erp', 'clients')", field: id}}]}]
sources:
  - name: erp
    schema: raw
    tables:
      - name: clients
        identifier: customers
        columns: [{name: code, tests: [{relationships: {to: ref('customers'), field: '"Mail"'}}]}]
""")
    assert found.problems == ()
    assert names(found) == [
        "dev_marts.fct_sales(order_id) -> shop.orders(id)",
        "dev_marts.fct_sales(customer_id) -> dev_marts.dim_customers_v2(id)",
        "public.users(id) -> raw.customers(id)",
        'raw.customers(code) -> shop.customers("Mail")',
    ]


def test_what_does_not_fit_is_told_in_a_line_each_with_what_is_near(imported: Import) -> None:
    found = imported(
        schema_yml(
            """
          - relationships: {to: ref('custommers'), field: id}
          - relationships: {to: ref('users'), field: idd}
          - relationships: {to: customers, field: id}
          - relationships: {to: ref('users'), field: id, config: {where: "amount > 0"}}
          - dbt_utils.relationships_where: {to: ref('users'), field: id, from_condition: "amount > 0"}
          - relationships: {to: ref('users'), field: id, config: {enabled: false}}
          - relationships: {to: ref('users'), field: id, enabled: "{{ var('strict') }}"}
"""
        )
        + """
  - name: customers
    columns: [{name: id, tests: [{relationships: {to: ref('users'), field: id}}]}]
"""
    )
    assert names(found) == []
    near = "shop.customers or dev_marts.dim_customers_v2 or public.users"
    assert found.problems == (
        f"models.orders.customer_id: there is no table custommers; did you mean {near}?",
        "models.orders.customer_id: table public.users has no column idd; did you mean id?",
        "models.orders.customer_id: `to`, `field` or column is not clear",
        "models.orders.customer_id: holds under a condition, which no relation of pgvigil has",
        "models.orders.customer_id: is not enabled, or a template decides whether it is",
        "models.customers.id: several tables are called customers: raw.customers, shop.customers",
    )


def node(name: str, schema: str, **more: Any) -> dict[str, Any]:
    return {"resource_type": "model", "name": name, "schema": schema, "alias": name, **more}


def test_node(to: str, field: str, column: str, depends: list[str], **more: Any) -> dict[str, Any]:
    kwargs = {"to": to, "field": field, "column_name": column, "model": more.pop("model", "")}
    return {
        "resource_type": "test",
        "name": f"relationships_{column}",
        "schema": "tests",
        "test_metadata": {"name": "relationships", "kwargs": kwargs},
        "depends_on": {"nodes": depends},
        **more,
    }


test_node.__test__ = False  # type: ignore[attr-defined]

SOURCE = {
    "resource_type": "source",
    "name": "clients",
    "identifier": "customers",
    "schema": "raw",
    "source_name": "erp",
}


def manifest(**tests: Any) -> dict[str, Any]:
    return {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        "nodes": {
            "model.p.orders": node("orders", "shop"),
            "model.p.buyers": node("buyers", "shop", alias="customers"),
            "model.p.dim_customers.v2": node(
                "dim_customers", "dev_marts", alias="dim_customers_v2", version=2
            ),
            **{f"test.p.{name}": test for name, test in tests.items()},
        },
        "sources": {"source.p.erp.clients": SOURCE},
    }


def test_a_manifest_knows_where_its_models_live(imported: Import) -> None:
    orders, buyers, dim = "model.p.orders", "model.p.buyers", "model.p.dim_customers.v2"
    erp = "source.p.erp.clients"
    found = imported(
        manifest(
            old=test_node("ref('buyers')", "id", "customer_id", [buyers, orders]),
            new=test_node("source('erp', 'clients')", "ID", "amount", [erp, orders], attached_node=orders),
            versioned=test_node(
                "ref('dim_customers', v='2')", "id", "id", [dim, orders], model="{{ get(ref('orders')) }}"
            ),
            itself=test_node("ref('orders')", "id", '"Parent"', [orders]),
            another={**test_node("", "", "", []), "test_metadata": {"name": "unique", "kwargs": {}}},
        )
    )
    assert (names(found), found.problems) == (
        [
            ORDERS,
            "shop.orders(amount) -> raw.customers(id)",
            "shop.orders(id) -> dev_marts.dim_customers_v2(id)",
            'shop.orders("Parent") -> shop.orders(id)',
        ],
        (),
    )


def test_a_test_of_a_manifest_that_does_not_fit(imported: Import) -> None:
    where = test_node("ref('buyers')", "id", "customer_id", ["model.p.buyers", "model.p.orders"])
    found = imported(
        manifest(
            where={**where, "config": {"where": "amount > 0"}},
            lost=test_node("ref('nowhere')", "id", "customer_id", ["model.p.orders"]),
        )
    )
    assert found.relations == ()
    assert found.problems == (
        "relationships_customer_id: holds under a condition, which no relation of pgvigil has",
        "relationships_customer_id: model, `to`, `field` or column is not clear",
    )


def test_loose_foreign_keys_refer_to_the_primary_key(imported: Import) -> None:
    found = imported(
        """
---
ci_builds:
  - table: users
    column: user_id
    on_delete: async_nullify
  - table: parts
    column: other_id
    on_delete: async_delete
  - table: projects
    column: project_id
    on_delete: async_delete
ci_stages:
  - {table: ci_builds, column: build_id, on_delete: async_delete}
  - {table: users, column: user_id, on_delete: update_column_to, target_column: state, target_value: 4}
  - {table: users, column: user_id, on_delete: async_delete, conditions: [{column: a, value: 1}]}
""",
        "loose-foreign-keys",
    )
    assert names(found) == ["public.ci_builds(user_id) -> public.users(id)"]
    assert list(map(str, found.declared)) == ["public.ci_stages(build_id) -> public.ci_builds(id)"]
    assert found.problems == (
        "ci_builds[1]: public.parts has the primary key (a, b), so that no one column can be referred to",
        "ci_builds[2]: there is no table projects; did you mean public.parts?",
        "ci_stages[1]: on_delete is update_column_to: rows without a parent are meant to stay",
        "ci_stages[2]: holds under conditions, which no relation of pgvigil has",
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "expected a mapping"),
        ("a: [", "while parsing"),
        ("version: 2\nmodels: [orders]\n", "is "),
        ("a: 1", "is n"),
    ],
)
def test_what_is_something_else_is_refused_in_one_line(
    imported: Import, kind: Kind, text: str, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        imported(text, kind)
    message = str(caught.value)
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("loose-foreign-keys", "users: [{table: orders, colum: a}]", "is: users[0]: has no `column`"),
        ("loose-foreign-keys", "users: [{table: a, column: a}, b]", "is: users[1]: has no `table`"),
        ("loose-foreign-keys", "version: 2\nmodels: []", "is a file of dbt: its kind is `dbt`"),
        ("loose-foreign-keys", "users: 2", "is: users: expected a list of keys"),
        ("dbt", "version: 2\nmodels: [{name: orders, columns: [{nam: x}]}]", "is: there is no `name`"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_place(
    imported: Import, kind: Kind, text: str, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        imported(text, kind)
    assert words in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path, catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="No such file"):
        imported_relations("dbt", tmp_path / "no.yml", catalog)


def test_the_command_line_knows_every_kind() -> None:
    assert tuple(kind.word for kind in FileKind) == tuple(FileKind) == KINDS
