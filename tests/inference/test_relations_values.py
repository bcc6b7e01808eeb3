"""What the server's statistics and comments say for a relation, and against it."""

from __future__ import annotations

from pgvigil.catalog.statistics import ColumnStatistics
from pgvigil.inference import propose_relations, relevant_columns
from tests.inference.schemas import by_relation, catalog, numbers, statistics

TEXT = "a_users(id*)\n b_users(id*)\n posts(id*, user_id)"


def test_values_outside_of_the_keys_rule_a_parent_out() -> None:
    made = catalog(TEXT)
    known = {
        "a_users.id": numbers(1, 1_000),
        "b_users.id": numbers(500_000, 900_000),
        "posts.user_id": numbers(500_010, 899_000, 5_000),
    }
    found = by_relation(propose_relations(made, statistics(made, known)))
    assert set(found) == {"posts(user_id) -> b_users(id)"}
    words = "the values lie within the keys' range"
    assert words in found["posts(user_id) -> b_users(id)"].evidence


def test_of_values_outside_it_says_so_without_the_values() -> None:
    made = catalog("users(id*)\n posts(id*, user_id)")
    known = {"users.id": numbers(1, 1_000), "posts.user_id": numbers(800, 1_100, 200)}
    for one in propose_relations(made, statistics(made, known)):
        assert "some of the values lie outside of the keys' range" in one.evidence


def test_a_few_values_outside_are_orphans_and_rule_nothing_out() -> None:
    made = catalog("users(id*)\n posts(id*, user_id)")
    orphans = ColumnStatistics(
        null_fraction=0.0,
        distinct=900,
        width=8,
        common=(("4000000000", 0.05),),
        bounds=tuple(str(number) for number in range(1, 1_001, 111)),
        least="1",
        greatest="4000000000",
    )
    known = {"users.id": numbers(1, 1_000), "posts.user_id": orphans}
    assert set(by_relation(propose_relations(made, statistics(made, known)))) == {
        "posts(user_id) -> users(id)"
    }


def test_keys_that_end_with_no_number_say_nothing() -> None:
    made = catalog("accounts(account_no* numeric)\n entries(id*, account_no numeric)")
    sound = numbers(1, 1_000)
    no_number = ColumnStatistics(0.0, 1_000, 8, bounds=("1", "NaN"), least="1", greatest="NaN")
    known = {"accounts.account_no": no_number, "entries.account_no": sound}
    assert propose_relations(made, statistics(made, known)) == propose_relations(made)


def test_more_values_than_keys_rule_a_parent_out() -> None:
    made = catalog("kinds(code* uuid)\n rows(id*, kind_code uuid)")
    known = {
        "kinds.code": ColumnStatistics(0.0, 10, 16),
        "rows.kind_code": ColumnStatistics(0.0, 5_000, 16),
    }
    assert propose_relations(made) != ()
    assert propose_relations(made, statistics(made, known)) == ()


def test_an_empty_parent_of_a_child_with_values_is_none() -> None:
    made = catalog("users(id*) rows=0\n posts(id*, user_id) rows=1000")
    known = {"posts.user_id": numbers(1, 500)}
    assert propose_relations(made, statistics(made, known)) == ()


def test_a_column_without_values_says_nothing() -> None:
    made = catalog("users(id*) rows=0\n posts(id*, user_id) rows=0")
    empty = {"posts.user_id": ColumnStatistics(1.0, 0, 8)}
    with_statistics = by_relation(propose_relations(made, statistics(made, empty)))
    assert with_statistics.keys() == by_relation(propose_relations(made)).keys()


def test_that_every_serial_key_includes_small_numbers_makes_no_relation() -> None:
    tables = "\n".join(f"thing_{letter}s(id*+, name text)" for letter in "abcdefgh")
    made = catalog(f"{tables}\n rows(id*+, legacy_no integer, stars_id integer)")
    known = {f"thing_{letter}s.id": numbers(1, 1_000 * place) for place, letter in enumerate("abcdefgh", 1)}
    known |= {"rows.legacy_no": numbers(1, 40), "rows.stars_id": numbers(1, 5), "rows.id": numbers(1, 9_000)}
    assert propose_relations(made, statistics(made, known)) == ()


def test_values_choose_among_tables_of_the_same_key() -> None:
    made = catalog("games(igdb_id*)\n embeddings(igdb_id*)\n prices(id*, igdb_id)")
    known = {
        "games.igdb_id": numbers(1_000, 90_000, 10_000),
        "embeddings.igdb_id": numbers(1_000, 3_000, 200),
        "prices.igdb_id": numbers(1_000, 90_000, 8_000),
    }
    found = by_relation(propose_relations(made, statistics(made, known)))
    assert "prices(igdb_id) -> games(igdb_id)" in found
    assert "prices(igdb_id) -> embeddings(igdb_id)" not in found


def test_a_comment_that_names_a_table_is_evidence() -> None:
    made = catalog("customers(id*)\n orders(id*, x integer)")
    comments = {"orders.x": "the buyer: references customers(id)"}
    found = by_relation(propose_relations(made, statistics(made, {}, comments)))
    assert "the column's comment names the table" in found["orders(x) -> customers(id)"].evidence


def test_a_column_for_several_parents_has_one_proposal_for_each_value_beside_it() -> None:
    made = catalog("posts(id*)\n photos(id*)\n notes(id*, subject_type text, subject_id)")
    beside = ColumnStatistics(0.0, 2, 8, common=(("Post", 0.6), ("App\\Models\\Photo", 0.4)))
    found = propose_relations(made, statistics(made, {"notes.subject_type": beside}))
    assert {(one.relation.parent.name, one.condition) for one in found} == {
        ("posts", ("subject_type", "Post")),
        ("photos", ("subject_type", "App\\Models\\Photo")),
    }


def test_relevant_columns_are_those_that_may_be_keys_or_refer() -> None:
    made = catalog("users(id*, photo jsonb, score double)\n posts(id*, user_id, at date)\n v(id) kind=view")
    users, posts = made.tables[:2]
    assert relevant_columns(made) >= {(users.oid, 1), (posts.oid, 1), (posts.oid, 2)}
    assert all(oid in (users.oid, posts.oid) for oid, _ in relevant_columns(made))
    assert (users.oid, 2) not in relevant_columns(made)
