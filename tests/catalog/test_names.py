"""Names are written as PostgreSQL writes them, and read back as it reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgvigil.catalog import (
    PairName,
    RelationName,
    TableName,
    parse_relation,
    parse_table,
    qualified,
    quote,
    unquote,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Anything but NUL and surrogates can be in an identifier; these are likelier to be got wrong.
_CHARACTERS = st.one_of(
    st.sampled_from("abzAZ_09$. \"'\\(),-><;\u00a0\u3000éßØ→🎲%\n\t"),
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
)
IDENTIFIERS = st.text(_CHARACTERS, min_size=1, max_size=63).filter(lambda name: len(name.encode()) <= 63)
TABLES = st.builds(TableName, IDENTIFIERS, IDENTIFIERS)
RELATIONS = st.integers(1, 5).flatmap(
    lambda size: st.builds(
        RelationName,
        TABLES,
        st.tuples(*[IDENTIFIERS] * size),
        TABLES,
        st.tuples(*[IDENTIFIERS] * size),
    )
)


@pytest.fixture(scope="module")
def session(pg_server: object) -> Iterator[psycopg.Connection]:
    """A session of the shared server, that changes nothing."""
    with psycopg.connect(pg_server.dsn()) as conn:  # type: ignore[attr-defined]
        yield conn


@given(name=IDENTIFIERS)
@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_name_is_quoted_as_the_server_quotes_it(session: psycopg.Connection, name: str) -> None:
    row = session.execute(
        "SELECT quote_ident(%(n)s), parse_ident(%(q)s)", {"n": name, "q": quote(name)}
    ).fetchone()
    assert row == (quote(name), [name])


@pytest.mark.every_pg
def test_every_keyword_is_quoted_as_the_server_does_or_more_carefully(admin_conn: psycopg.Connection) -> None:
    keywords = admin_conn.execute("SELECT word, quote_ident(word), catcode FROM pg_get_keywords()").fetchall()
    assert len(keywords) > 400
    for word, quoted, category in keywords:
        # A word that only another version reserves is quoted here too: subjects have one spelling.
        assert quote(word) == quoted or category == "U", word
        assert parse_table(f"{quoted}.{quote(word)}") == TableName(word, word)


@given(table=TABLES)
def test_a_table_is_read_back(table: TableName) -> None:
    assert parse_table(str(table)) == table
    assert str(table) == qualified(table.schema, table.name)


@given(relation=RELATIONS)
def test_a_relation_is_read_back(relation: RelationName) -> None:
    assert parse_relation(str(relation)) == relation


@given(first=st.tuples(TABLES, TABLES), second=st.tuples(TABLES, TABLES))
def test_different_pairs_are_written_differently(
    first: tuple[TableName, TableName], second: tuple[TableName, TableName]
) -> None:
    assert (str(PairName(*first)) == str(PairName(*second))) == (first == second)


@given(text=st.text(_CHARACTERS, max_size=40))
def test_whatever_is_written_is_read_or_refused_in_one_message(text: str) -> None:
    for parse in (parse_table, parse_relation):
        message = ""
        try:
            name = parse(text)
            assert parse(str(name)) == name
        except ValueError as error:
            message = str(error)
        assert not message or repr(text) in message


@pytest.mark.parametrize(
    ("text", "schema", "name"),
    [
        ("public.games", "public", "games"),
        ("Public.GAMES", "public", "games"),
        ("  public . games ", "public", "games"),
        ('"Public"."a.b ""c"""', "Public", 'a.b "c"'),
        ("čára.STRAßE", "čára", "straße"),
        ("ČÁRA.x", "ČÁra", "x"),
        ("a.b$1", "a", "b$1"),
        ("games🎲.→", "games🎲", "→"),
        ("a.\u00a0b", "a", "\u00a0b"),
    ],
)
def test_names_are_read_as_the_server_reads_them(
    session: psycopg.Connection, text: str, schema: str, name: str
) -> None:
    if "ČÁ" not in text:  # parse_ident folds more than the server's own parser does
        assert session.execute("SELECT parse_ident(%s)", [text]).fetchone() == ([schema, name],)
    assert parse_table(text).name == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "games",
        "a.b.c",
        "a.",
        ".b",
        'a."',
        'a.""',
        "a.b c",
        "a.1b",
        "a.b -- c",
        "a.b(c)",
        "a.b; DROP TABLE c",
    ],
)
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected schema\.table, got") as caught:
        parse_table(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.b(c) -> d.e", "expected schema.child"),
        ("a.b(c) <> d.e(f)", "expected schema.child"),
        ("a.b() -> d.e(f)", "expected schema.child"),
        ("a.b(c,) -> d.e(f)", "expected schema.child"),
        ("a.b(c) -> d.e(f) x", "expected schema.child"),
        ("a.b(c, d) -> d.e(f)", "2 child columns but 1 parent columns"),
    ],
)
def test_what_is_no_relation_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_relation(text)


@pytest.mark.parametrize("name", ["shop", "Shop", 'a "b"', "all", '"', "naïve 🦊"])
def test_what_is_quoted_is_read_back(name: str) -> None:
    assert unquote(quote(name)) == name
