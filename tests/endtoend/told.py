"""What people were told: alerts by the names that people know them by, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.endtoend.shop import relation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.alertmanager import Alertmanager
    from tests.endtoend.world import World
    from tests.webhook import Notification

Story = tuple[str, str, str]
"""What people know an alert by: its name, its target, its subject; empty when it has none."""


def is_watchdog(labels: Mapping[str, str]) -> bool:
    """Tell whether these are the labels of the alert that always fires."""
    return labels["alertname"] == "PgvigilWatchdog"


def story_of(labels: Mapping[str, str]) -> Story:
    """Return what people know an alert by."""
    return labels["alertname"], labels.get("target", ""), labels.get("subject", "")


def stories(notifications: Sequence[Notification]) -> dict[Story, list[str]]:
    """Return what was told of each alert, in order: `firing`, `resolved`, and so on.

    A notification is one of a group, and lists what has been told before beside the news: that is not told
    twice. A notification without any news is, and fails the test.
    """
    told: dict[Story, list[str]] = {}
    for notification in notifications:
        news = False
        for one in notification.alerts:
            story = told.setdefault(story_of(one["labels"]), [])
            if story[-1:] != [one["status"]]:
                story.append(one["status"])
                news = True
        assert news, f"told twice: {[(one['labels'], one['status']) for one in notification.alerts]}"
    return told


def of(target: str, status: str = "", alerts: int = 1) -> Callable[[Notification], bool]:
    """Tell notifications of a target, with so many alerts in this status or more."""
    return lambda one: (
        one.body["groupLabels"].get("target") == target
        and len([each for each in one.alerts if status in each["status"]]) >= alerts
    )


def pages(world: World, target: str = "", by: Alertmanager | None = None) -> list[Notification]:
    """Return what whoever is on call was told: of a target, or of all; by one Alertmanager, or by all."""
    return [
        one
        for one in world.webhook.to("pager")
        if (not target or of(target)(one))
        and (by is None or one.body["externalURL"].endswith(by.url.removeprefix("http://127.0.0.1")))
    ]


def told(world: World, target: str, by: Alertmanager | None = None) -> dict[str, list[str]]:
    """Return what whoever is on call was told of the orphans of a target, by subject."""
    return {
        subject: story
        for (name, _, subject), story in stories(pages(world, target, by)).items()
        if name == "PgvigilOrphanRows"
    }


def on(relations: int = 1) -> dict[str, list[str]]:
    """Return what is told while all relations of a target have orphans."""
    return {relation(number): ["firing"] for number in range(1, relations + 1)}


def over(relations: int = 1) -> dict[str, list[str]]:
    """Return what is told of so many relations when they are healed."""
    return {relation(number): ["firing", "resolved"] for number in range(1, relations + 1)}
