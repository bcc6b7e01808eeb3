"""What Alertmanagers may hold of incidents. The incidents are the outbox; this is how far it has been read.

A row is written before an Alertmanager is told that an incident is firing, and goes once it has accepted the
end. So whatever is interrupted, nothing can be firing anywhere that is not known here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, delete, insert, select, text

from pgvigil.incident import Incident, State
from pgvigil.store.codec import incident_of_row
from pgvigil.store.schema import deliveries as table
from pgvigil.store.schema import incidents
from pgvigil.store.view import Delta

Labels: TypeAlias = Mapping[str, str]
"""The labels of an alert; they are its identity."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An incident, and all labels under which one Alertmanager may hold it as firing."""

    incident: Incident
    labels: tuple[Labels, ...]


def delivered(connection: Connection, alertmanager: str) -> list[str]:
    """Return the ids of the incidents that an Alertmanager may hold."""
    return list(connection.scalars(select(table.c.incident).where(table.c.alertmanager == alertmanager)))


def deliveries(connection: Connection, alertmanager: str, ids: Collection[str]) -> list[Delivery]:
    """Return incidents with what an Alertmanager may hold of them."""
    return _read(connection, _query(alertmanager).where(incidents.c.id.in_(list(ids))))


def recurrences(connection: Connection, alertmanager: str, over: Collection[Incident]) -> list[Delivery]:
    """Return the open incidents of the same faults."""
    query = _query(alertmanager).where(
        incidents.c.target.in_({one.target for one in over}),
        incidents.c.fingerprint.in_({one.fingerprint for one in over}),
        incidents.c.state == State.OPEN.value,
        text("state <> 'resolved'"),  # the words of the index of those that go on
    )
    return _read(connection, query)


def write(
    connection: Connection, alertmanager: str, labels: Mapping[str, Sequence[Labels]], at: datetime
) -> Delta:
    """Replace what is known of some incidents."""
    ours = table.c.alertmanager == alertmanager
    connection.execute(delete(table).where(ours, table.c.incident.in_(list(labels))))
    # One that is not there any more was deleted with all that belonged to it.
    present = set(connection.scalars(select(incidents.c.id).where(incidents.c.id.in_(list(labels)))))
    rows = [
        {"alertmanager": alertmanager, "incident": name, "labels": [dict(one) for one in held], "at": at}
        for name, held in labels.items()
        if held and name in present
    ]
    if rows:
        connection.execute(insert(table), rows)
    return Delta()


def keep(connection: Connection, configured: Collection[str]) -> Delta:
    """Forget all other Alertmanagers."""
    connection.execute(delete(table).where(table.c.alertmanager.not_in(list(configured))))
    return Delta()


def _query(alertmanager: str) -> Select[Any]:
    ours = (table.c.incident == incidents.c.id) & (table.c.alertmanager == alertmanager)
    return select(incidents, table.c.labels).select_from(incidents.outerjoin(table, ours))


def _read(connection: Connection, query: Select[Any]) -> list[Delivery]:
    return [
        Delivery(incident_of_row(row), tuple(row["labels"] or ()))
        for row in connection.execute(query).mappings()
    ]
