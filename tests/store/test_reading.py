"""Reading what is asked for carelessly, and what another version has written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text

from pgvigil.errors import StoreError, UsageError
from pgvigil.store import Filter, Store
from tests.incident.life import finding, run

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["\0", "a\0b", "\ud800"], ids=["nul", "inner nul", "surrogate"])
def test_what_no_database_can_hold_is_not_found(store: Store, name: str) -> None:
    store.record(run(finding()))
    assert store.incident(name) is None
    assert store.last_swept(name, name) is None
    assert store.coverage(name) == []
    for where in (Filter(target=name), Filter(check=name), Filter(subject=name), Filter(states=[name])):
        assert store.incidents(where) == store.subjects(where) == store.runs(where) == []
    assert store.incidents(Filter(severities=[name])) == []
    assert len(store.incidents(Filter(states=[name, "open"], severities=[name, "critical"]))) == 1
    with pytest.raises(UsageError, match="there is no incident"):
        store.mute(name, who="ada", at=NOW)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE incidents SET state = 'flapping'",
        """UPDATE incidents SET finding = '{"severity": "critical"}'""",
        "UPDATE incidents SET finding = '{'",
    ],
)
def test_an_incident_in_words_of_a_newer_version_is_one_error_in_one_line(url: str, change: str) -> None:
    with Store.open(url) as store:
        store.record(run(finding()))
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text(change))
        engine.dispose()
        before = store.view()
        for ask in (store.reload, lambda: store.record(run(finding(), minutes=5))):
            with pytest.raises(StoreError, match="if a newer one has written it, upgrade this one") as caught:
                ask()
            assert "\n" not in str(caught.value)
        assert store.view() == before
    with pytest.raises(StoreError, match="upgrade this one"):
        Store.open(url)


@pytest.mark.parametrize("change", ["UPDATE runs SET outcome = 'maybe'", "UPDATE runs SET findings = '[{}]'"])
def test_so_is_a_run(url: str, change: str) -> None:
    with Store.open(url) as store:
        store.record(run(finding()))
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text(change))
        engine.dispose()
        with pytest.raises(StoreError, match="upgrade this one"):
            store.runs()
