"""What is proposed, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pgvigil.errors import UsageError
from pgvigil.proposal import Kind, Offer, ProposalState
from pgvigil.store import Store
from tests.incident.life import at

if TYPE_CHECKING:
    from collections.abc import Collection

    from pgvigil.catalog import Traces
    from pgvigil.check import JsonValue

SALES = "shop.sales(game_id) -> shop.games(id)"
NOTES = "shop.notes(a, b) -> shop.sales(c, d)"
PAIR = "shop.games <> old.games"
PAIR_SETTINGS: JsonValue = {
    "left": "shop.games",
    "right": "old.games",
    "key": {"id": "nr"},
    "tolerance": {"x": 0.5},
}


def offer(subject: str, probability: float = 0.5, *evidence: str) -> Offer:
    pair = " <> " in subject
    return Offer(
        kind=Kind.PAIR if pair else Kind.RELATION,
        subject=subject,
        probability=probability,
        evidence=evidence,
        settings=PAIR_SETTINGS if pair else subject,
    )


def propose(store: Store, *offers: Offer, known: Collection[str] | None = (), minutes: float = 0) -> None:
    store.proposals.propose("games", offers, source="inference", at=at(minutes), known=known)


def states(store: Store) -> dict[str, str]:
    return {one.subject: one.state.value for one in store.proposals.all()}


def id_of(store: Store, subject: str) -> str:
    (found,) = (one.id for one in store.proposals.all() if one.subject == subject)
    return found


def test_what_a_person_has_brought_is_not_taken_back_by_inference(store: Store) -> None:
    propose(store, offer(SALES, 0.6))
    store.proposals.propose("games", [offer(SALES, 1.0, "imported")], source="dbt x.yml", at=at(1))
    propose(store, offer(SALES, 0.7), minutes=2)
    propose(store, minutes=3)
    (one,) = store.proposals.all()
    assert (one.source, one.probability, one.evidence) == ("dbt x.yml", 1.0, ("imported",))


@pytest.mark.every_pg
def test_proposals_are_listed_by_their_probability(store: Store) -> None:
    propose(store, offer(SALES, 0.5), offer(NOTES, 0.9, "the name says so", "naïve 🦊"), offer(PAIR))
    assert [one.subject for one in store.proposals.all()] == [NOTES, SALES, PAIR]
    first = store.proposals.all("games", [ProposalState.PROPOSED])[0]
    assert (first.probability, first.settings) == (0.9, NOTES)
    assert first.evidence == ("the name says so", "naïve 🦊")
    assert (first.kind, first.source, first.proposed_at) == ("relation", "inference", at(0))
    assert store.proposals.find(first.id) == first
    assert store.proposals.all()[-1].settings == PAIR_SETTINGS
    assert store.proposals.all("other") == []


def test_what_is_no_longer_inferred_is_taken_back_unless_somebody_decided(store: Store) -> None:
    propose(store, offer(SALES), offer(NOTES), offer(PAIR))
    store.proposals.adopt(id_of(store, SALES), who="anna", at=at(1))
    propose(store, offer(PAIR, 0.75), minutes=2)
    assert states(store) == {SALES: "adopted", PAIR: "proposed"}
    assert store.proposals.all()[-1].probability == 0.75
    assert store.proposals.all()[-1].proposed_at == at(0)


def test_a_rejected_proposal_is_never_proposed_again(store: Store) -> None:
    propose(store, offer(NOTES), offer(PAIR))
    for subject in (NOTES, PAIR):
        store.proposals.reject(id_of(store, subject), who="anna", at=at(1), why="chance")
    # However it is written.
    propose(store, offer("shop.notes(b, a) -> shop.sales(d, c)"), offer("old.games <> shop.games"))
    assert states(store) == {NOTES: "rejected", PAIR: "rejected"}
    (one, _) = store.proposals.all()
    assert (one.decided_by, one.decided_at, one.why) == ("anna", at(1), "chance")


def test_a_declared_key_supersedes_a_proposal_for_as_long_as_it_is_there(store: Store) -> None:
    propose(store, offer(SALES), offer(NOTES))
    store.proposals.adopt(id_of(store, NOTES), who="anna", at=at(1))
    propose(store, known=[SALES, "shop.notes(b, a) -> shop.sales(d, c)"])
    assert states(store) == {SALES: "superseded", NOTES: "superseded"}
    # Should the key go, it is to be examined all the same.
    assert [one.subject for one in store.proposals.adopted()["games"]] == [NOTES]
    propose(store, offer(SALES))
    assert states(store) == {SALES: "proposed", NOTES: "adopted"}


def test_what_is_adopted_survives_a_restart(store: Store, url: str) -> None:
    propose(store, offer(SALES), offer(PAIR))
    for subject in (PAIR, SALES):
        store.proposals.adopt(id_of(store, subject), who="anna", at=at(1))
    store.close()
    with Store.open(url) as again:
        adopted = again.proposals.adopted()["games"]
        assert {one.subject: one.settings for one in adopted} == {PAIR: PAIR_SETTINGS, SALES: SALES}


def test_a_person_may_change_their_mind(store: Store) -> None:
    propose(store, offer(SALES))
    proposal = id_of(store, SALES)
    store.proposals.reject(proposal, who="anna", at=at(1))
    with pytest.raises(UsageError, match="is rejected already, by anna"):
        store.proposals.reject(proposal, who="bob", at=at(2))
    assert store.proposals.adopt(proposal, who="bob", at=at(2)).state == "adopted"
    with pytest.raises(UsageError, match="there is no proposal 'x\\\\x00'"):
        store.proposals.adopt("x\0", who="bob", at=at(2))


def test_what_is_imported_is_added_to_what_is_inferred(store: Store) -> None:
    propose(store, offer(SALES))
    store.proposals.propose("games", [offer(NOTES)], source="dbt", at=at(1))
    propose(store, offer(SALES), minutes=2)
    assert {one.subject: one.source for one in store.proposals.all()} == {SALES: "inference", NOTES: "dbt"}


def test_what_was_decided_outlives_its_target_and_what_was_not_goes(store: Store) -> None:
    propose(store, offer(SALES), offer(NOTES), offer("shop.plays(game_id) -> shop.games(id)"))
    store.proposals.adopt(id_of(store, SALES), who="anna", at=at(1))
    store.proposals.reject(id_of(store, NOTES), who="anna", at=at(2))
    store.retire([("other", "tables")], at(3))
    assert {one.subject: one.state.value for one in store.proposals.all()} == {
        SALES: "adopted",
        NOTES: "rejected",
    }


def test_what_was_rejected_is_followed_to_its_new_name_and_nothing_else_is(store: Store) -> None:
    propose(store, offer(SALES), offer(NOTES), offer(PAIR))
    for subject in (SALES, PAIR):
        store.proposals.reject(id_of(store, subject), who="anna", at=at(1))
    orders = SALES.replace("sales", "orders")
    # Proposed under its new name before anybody knew.
    store.proposals.propose("games", [offer(orders)], source="dbt", at=at(2))

    def called(subject: str, traces: Traces | None) -> tuple[str, Traces]:
        return subject.replace("shop.sales", "shop.orders").replace("old.", "new."), traces or [[1, 2], [3]]

    pair = PAIR.replace("old.", "new.")
    assert sorted(store.proposals.follow("games", called)) == [pair, orders]
    assert states(store) == {orders: "rejected", NOTES: "proposed", pair: "rejected"}
    settings = {one.subject: one.settings for one in store.proposals.all()}
    assert settings[orders] == orders
    assert settings[pair] == {**PAIR_SETTINGS, "right": "new.games"}  # type: ignore[dict-item]
    assert store.proposals.follow("games", called) == []
    propose(store, offer(orders))
    assert states(store)[orders] == "rejected"


def test_what_was_decided_under_the_new_name_stays_beside_what_was_rejected(store: Store) -> None:
    propose(store, offer(SALES), offer(NOTES))
    store.proposals.reject(id_of(store, SALES), who="anna", at=at(1))
    store.proposals.adopt(id_of(store, NOTES), who="anna", at=at(1))
    assert store.proposals.follow("games", lambda _, __: (NOTES, None)) == []
    assert states(store) == {SALES: "rejected", NOTES: "adopted"}


def test_at_another_address_traces_mean_nothing(store: Store) -> None:
    store.reach("games", "here")
    store.proposals.propose("games", [replace(offer(SALES), traces=[[1, 2], [3, 4]])], source="x", at=at(0))
    store.proposals.reject(id_of(store, SALES), who="anna", at=at(1))
    told: list[Traces | None] = []

    def called(subject: str, traces: Traces | None) -> tuple[str, Traces | None]:
        told.append(traces)
        return subject, traces

    for address in ("here", "there"):
        store.reach("games", address)
        store.proposals.follow("games", called)
    assert told == [[[1, 2], [3, 4]], None]
