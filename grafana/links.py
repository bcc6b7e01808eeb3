"""Where a panel leads: to the console's page of what it shows, and to the runbook of the alert about it."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import DashboardLink

# A field of the row that was clicked, fit for the query of an address.
FIELD = "${{__data.fields.{}:percentencode}}"

RUNBOOK_OF_ROW = "${console}/runbooks/" + FIELD.format("Alert")


def incidents_of_row(check: str | None = None) -> str:
    """Return the address of a row's incidents; the row has Target and Subject, and Check if none is given."""
    of_check = check or FIELD.format("Check")
    return (
        f"${{console}}/incidents?target={FIELD.format('Target')}"
        f"&check={of_check}&subject={FIELD.format('Subject')}"
    )


def target_of_row(state: str = "") -> str:
    """Return the address of a row's target, narrowed to its check."""
    narrowed = f"&state={state}" if state else ""
    return f"${{console}}/targets/{FIELD.format('Target')}?check={FIELD.format('Check')}{narrowed}"


def runbook(alert: str) -> DashboardLink:
    """Link a panel to the runbook of an alert."""
    return _link(f"Runbook: {alert}", f"${{console}}/runbooks/{alert}")


def console(title: str, path: str) -> DashboardLink:
    """Link a panel to a page of the console."""
    return _link(title, f"${{console}}{path}")


def _link(title: str, url: str) -> DashboardLink:
    return DashboardLink(title).url(url).target_blank(True)
