"""Rows of `reference`."""

from __future__ import annotations

from pgvigil.sample.dice import day, decimal
from pgvigil.sample.table import Table
from pgvigil.sample.vocabulary import (
    CONTINENTS,
    COUNTRIES,
    CURRENCIES,
    GENRES,
    LANGUAGES,
    NOUNS,
    PLATFORMS,
    REGIONS,
)
from pgvigil.sample.world import CAMPAIGNS, campaign

_BOARDS = (("PEGI", (3, 7, 12, 16, 18)), ("USK", (0, 6, 12, 16, 18)), ("ESRB", (6, 10, 13, 17, 18)))

TABLES = (
    Table(
        "reference.countries",
        "code, name, continent",
        len(COUNTRIES),
        lambda w, d, i: (COUNTRIES[i - 1], f"Country {COUNTRIES[i - 1]}", d.pick(CONTINENTS)),
        grows=False,
    ),
    Table(
        "reference.languages",
        "tag, name",
        len(LANGUAGES),
        lambda w, d, i: (LANGUAGES[i - 1], f"Language {LANGUAGES[i - 1]}"),
        grows=False,
    ),
    Table(
        "reference.currencies",
        "code, minor_units, rate_to_eur",
        len(CURRENCIES),
        lambda w, d, i: (CURRENCIES[i - 1], d.pick((0, 2, 2, 2)), decimal(d.between(4_000, 2_000_000), 6)),
        grows=False,
    ),
    Table("reference.genres", "id, name", len(GENRES), lambda w, d, i: (i, GENRES[i - 1]), grows=False),
    Table(
        "reference.platforms",
        "code, name, maker",
        len(PLATFORMS),
        lambda w, d, i: (PLATFORMS[i - 1], f"Platform {PLATFORMS[i - 1]}", d.pick(("Sony", "Valve", None))),
        grows=False,
    ),
    Table(
        "reference.regions",
        "code, name",
        len(REGIONS),
        lambda w, d, i: (REGIONS[i - 1], f"Region {REGIONS[i - 1]}"),
        grows=False,
    ),
    # No platform has a store in the last region.
    Table(
        "reference.platform_regions",
        "platform, region, opened_on",
        len(PLATFORMS) * (len(REGIONS) - 1),
        lambda w, d, i: (
            PLATFORMS[(i - 1) % len(PLATFORMS)],
            REGIONS[(i - 1) // len(PLATFORMS)],
            day(-d.between(1, 3_000)),
        ),
        grows=False,
    ),
    Table(
        "reference.age_ratings",
        "board, label, minimum_age",
        15,
        lambda w, d, i: (
            _BOARDS[(i - 1) // 5][0],
            f"{_BOARDS[(i - 1) // 5][1][(i - 1) % 5]}+",
            _BOARDS[(i - 1) // 5][1][(i - 1) % 5],
        ),
        grows=False,
    ),
    Table(
        "reference.campaigns",
        "code, title, budget",
        CAMPAIGNS,
        lambda w, d, i: (campaign(i), f"The {d.pick(NOUNS)} campaign", d.cents(100_000, 90_000_000)),
        grows=False,
    ),
    Table(
        "reference.holidays",
        "country, day, name",
        len(COUNTRIES),
        lambda w, d, i: (COUNTRIES[i - 1], d.day(), "National day"),
        grows=False,
    ),
)
