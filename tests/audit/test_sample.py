"""The audit of the sample in its crisis finds what the crisis was about, with and without a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.audit import Audit, FragmentKind, IndexFault, Origin
from pgvigil.check import Severity
from pgvigil.config import load
from pgvigil.sample import AnswerKey, configuration, plant_crisis

if TYPE_CHECKING:
    from pathlib import Path

    from tests.audit.conftest import Audited


def broken(audit: Audit) -> set[str]:
    """Return what the map marks as broken."""
    return {one.subject for one in audit.relations if one.broken}


def broken_keys(answer: AnswerKey) -> set[str]:
    """Return the foreign keys that the crisis broke."""
    return {str(one.relation) for one in answer.broken_keys()}


@pytest.mark.every_pg
def test_with_only_a_dsn_the_inventory_is_right_and_the_six_broken_keys_are_marked(
    sample: str, audited: Audited
) -> None:
    answer = plant_crisis(sample, seed=1)
    audit = audited(sample)
    inventory = audit.inventory
    assert (len(inventory.schemas), len(inventory.tables), inventory.foreign_keys) == (11, 106, 28)
    assert inventory.broken_foreign_keys == 6
    assert broken(audit) == broken_keys(answer)


def test_with_only_a_dsn_the_game_pair_comes_first_with_its_mapping(sample: str, audited: Audited) -> None:
    plant_crisis(sample, seed=1)
    first = audited(sample).entity_pairs[0]
    assert first.subject == "curated.enhanced_games <> curated.games_complete"
    assert first.origin is Origin.INFERRED
    assert dict(first.key) == {"igdb_id": "igdb_id"}
    assert dict(first.columns) == {
        "title": "name",
        "subtitle": "tagline",
        "developer": "developed_by",
        "release_date": "released_on",
        "list_price": "price",
        "quality_score": "quality_score",
        "platforms": "platforms",
        "attributes": "metadata",
        "updated_at": "updated_at",
    }


def test_with_only_a_dsn_every_relation_that_the_team_knows_of_is_on_the_map(
    sample: str, audited: Audited, tmp_path: Path
) -> None:
    answer = plant_crisis(sample, seed=1)
    file = tmp_path / "pgvigil.yaml"
    file.write_text(configuration(sample), encoding="utf-8")
    known = load(file).targets["games"].checks["orphan_rows"]["relations"]
    mapped = {one.subject for one in audited(sample).relations}
    assert {*known, *answer.orphans()} - mapped == set()


def test_with_the_teams_configuration_its_relations_are_judged_as_well(
    sample: str, audited: Audited, tmp_path: Path
) -> None:
    answer = plant_crisis(sample, seed=1)
    file = tmp_path / "pgvigil.yaml"
    file.write_text(configuration(sample), encoding="utf-8")
    audit = audited(load(file))
    assert audit.inventory.broken_foreign_keys == 6
    assert broken(audit) == broken_keys(answer) | set(answer.orphans())
    (missing,) = [one for one in answer.planted if one.fault == "missing_key"]
    (marked,) = [one for one in audit.relations if one.subject == missing.relation]
    assert marked.origin is Origin.CONFIGURED
    assert "is not declared" in str(marked.broken)
    assert [pair.origin for pair in audit.entity_pairs][:1] == [Origin.CONFIGURED]


def test_of_each_broken_key_it_is_told_whether_its_table_is_empty(sample: str, audited: Audited) -> None:
    plant_crisis(sample, seed=1)
    at_risk = {
        str(one.relation.child): one.rows_at_risk
        for one in audited(sample, sampling=False).relations
        if one.broken
    }
    assert at_risk["monitoring.player_reports"] == 0
    assert at_risk["analytics.player_sessions"] == pytest.approx(3500, rel=0.1)


def test_without_sampling_no_orphans_are_known_and_that_is_said(sample: str, audited: Audited) -> None:
    plant_crisis(sample, seed=1)
    audit = audited(sample, sampling=False)
    assert not audit.sampled
    assert audit.inventory.broken_foreign_keys == 4
    assert any("rows without a parent" in line for line in audit.unknown)


def test_the_sound_sample_has_no_broken_key(sample: str, audited: Audited) -> None:
    audit = audited(sample)
    assert broken(audit) == set()
    assert audit.inventory.broken_foreign_keys == 0
    assert [one for one in audit.fragments if one.impact is Severity.CRITICAL] == []


def test_the_fragments_name_the_pair_the_twins_and_the_boundaries(sample: str, audited: Audited) -> None:
    plant_crisis(sample, seed=1)
    audit = audited(sample)
    kinds = {kind: [one for one in audit.fragments if one.kind is kind] for kind in FragmentKind}
    assert [one.subjects for one in kinds[FragmentKind.PAIR]] == [
        ("curated.enhanced_games <> curated.games_complete",)
    ]
    (players,) = kinds[FragmentKind.TWIN]
    assert set(players.subjects) == {"curated.players", "legacy.players", "staging.players"}
    assert "monitoring.player_reports(player_id) -> legacy.players(id)" in {
        subject for one in kinds[FragmentKind.CROSS_SCHEMA] for subject in one.subjects
    }


def test_referencing_columns_without_an_index_are_noted(sample: str, audited: Audited) -> None:
    missing = {
        (str(note.table), note.columns)
        for note in audited(sample, sampling=False).indexes
        if note.fault is IndexFault.MISSING
    }
    assert ("curated.games_complete", ("publisher_code",)) in missing
