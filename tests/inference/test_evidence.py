"""Evidence ends up in files that people commit, in tickets and on screens: it holds no value of any row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from pgvigil.catalog.statistics_read import read_statistics
from pgvigil.inference import (
    PairSampler,
    Sampler,
    as_figure,
    as_percent,
    propose_pairs,
    propose_relations,
    relevant_columns,
)
from tests.inference.pairs import fetch_of, opened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pgvigil.inference import ProposedPair, ProposedRelation

ACCOUNTS = 300
OWNER_TYPE = r"Bank\Models\Account"
# Relations by numbers, by texts and by a type beside them, and a pair. Some references are orphans, and one
# value is so common that ANALYZE keeps it.
TABLES = """
    DROP SCHEMA IF EXISTS bank, crm CASCADE;
    CREATE SCHEMA bank; CREATE SCHEMA crm;
    CREATE TABLE bank.accounts (
        id bigint PRIMARY KEY, iban text UNIQUE, holder text, balance numeric, opened timestamptz
    );
    INSERT INTO bank.accounts
    SELECT {first} + n, {word} || n, {word} || 'holder' || n, {first} + n / 7.0,
        timestamptz '2024-01-01' + n * interval '7 h'
    FROM generate_series(1, {accounts}) AS n;
    CREATE TABLE bank.transfers (
        id bigint PRIMARY KEY, account_id bigint, account_iban text, owner_type text, owner_id bigint
    );
    INSERT INTO bank.transfers
    SELECT n, CASE WHEN n % 100 < {orphans} THEN 10 * {first} + n
            ELSE {first} + 1 + (n % 3) * n % {accounts} END,
        CASE WHEN n % 100 < {orphans} THEN {word} || 'gone' || n
            ELSE {word} || 1 + (n % 3) * n % {accounts} END,
        {owner_type}, {first} + 1 + n % {accounts}
    FROM generate_series(1, 900) AS n;
    CREATE TABLE crm.accounts (iban text PRIMARY KEY, holder_name text, balance numeric, opened timestamptz);
    INSERT INTO crm.accounts
    SELECT iban, CASE WHEN id % 100 < {orphans} THEN {word} || 'other' || id ELSE holder END,
        balance + 0.01, opened
    FROM bank.accounts;
    ANALYZE;
"""
WORDS = st.text("QXZ", min_size=6, max_size=10)


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(10_000_000, 99_000_000), word=WORDS, orphans=st.integers(0, 60))
@example(first=31_415_926, word="QZXQZX", orphans=0)
@example(first=31_415_926, word="QZXQZX", orphans=4)
@example(first=31_415_926, word="QZXQZX", orphans=60)
def test_no_evidence_holds_a_value(
    database: str, admin_conn: psycopg.Connection, first: int, word: str, orphans: int
) -> None:
    plant(admin_conn, first, word, orphans)
    evidence = list(all_evidence(database))
    assert evidence
    values = planted(admin_conn)
    assert [(words, value) for words in evidence for value in values if value in words] == []
    assert [words for words in evidence if word in words or OWNER_TYPE in words] == []


def test_what_is_planted_leads_to_relations_and_a_pair(database: str, admin_conn: psycopg.Connection) -> None:
    plant(admin_conn, 31_415_926, "QZXQZX", 0)
    relations, pairs = proposed(database)
    told = {str(one.relation): one for one in relations if one.condition is None}
    assert "the values lie within the keys' range" in (
        told["bank.transfers(account_id) -> bank.accounts(id)"].evidence
    )
    assert ("owner_type", OWNER_TYPE) in {one.condition for one in relations}
    assert "bank.accounts <> crm.accounts" in {str(one.name) for one in pairs}


@given(st.floats(0, 1))
def test_no_probability_is_written_as_certain(probability: float) -> None:
    percent, figure = as_percent(probability), as_figure(probability)
    assert "100" not in percent
    assert not figure.startswith("1")
    assert abs(float(percent.strip(">%")) / 100 - probability) <= 0.011
    assert abs(float(figure.strip(">")) - probability) <= 0.011
    assert percent.startswith(">") == figure.startswith(">") == (probability > 0.995) or probability == 0.995


def plant(conn: psycopg.Connection, first: int, word: str, orphans: int) -> None:
    conn.execute(
        sql.SQL(TABLES).format(
            first=sql.Literal(first),
            word=sql.Literal(word),
            orphans=sql.Literal(orphans),
            accounts=sql.Literal(ACCOUNTS),
            owner_type=sql.Literal(OWNER_TYPE),
        )
    )


def planted(conn: psycopg.Connection) -> set[str]:
    """Return every value that is long enough to be told from a count."""
    rows: list[tuple[object, ...]] = []
    for table in ("bank.accounts", "bank.transfers", "crm.accounts"):
        rows += conn.execute(f"SELECT * FROM {table}".encode()).fetchall()
    return {text for row in rows for value in row if len(text := str(value)) >= 6}


def all_evidence(dsn: str) -> Iterable[str]:
    relations, pairs = proposed(dsn)
    for evidence in (*(one.evidence for one in relations), *(one.evidence for one in pairs)):
        yield from evidence


def proposed(dsn: str) -> tuple[tuple[ProposedRelation, ...], tuple[ProposedPair, ...]]:
    with opened(dsn) as target:
        catalog, fetch = target.read_catalog(), fetch_of(target)
        with target.snapshot("statistics") as snapshot:
            statistics = read_statistics(snapshot.fetch, catalog, relevant_columns(catalog))
        relations = propose_relations(catalog, statistics, Sampler(fetch))
        names_alone = propose_relations(catalog, statistics)
        known = [one.relation for one in relations]
        return (*relations, *names_alone), propose_pairs(catalog, statistics, PairSampler(fetch), known)
