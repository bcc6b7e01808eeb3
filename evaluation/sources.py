"""The public schemas, what makes each, and which of them are held back for the final look."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evaluation.workshop import Workshop


@dataclass(frozen=True)
class Source:
    """A public schema: whose it is, what of the application makes the tables, and how."""

    name: str
    software: str
    by: str
    make: Callable[[Workshop], None]


def _python(script: str, *requirements: str) -> Callable[[Workshop], None]:
    return lambda workshop: workshop.python(script, *requirements)


def _debian(package: str, *files: str) -> Callable[[Workshop], None]:
    def make(workshop: Workshop) -> None:
        root = workshop.debian(package)
        workshop.sql(*(_plain(root / file, workshop.folder) for file in files))

    return make


def _plain(file: Path, folder: Path) -> Path:
    """Return a file as it is, or what it holds if it is packed."""
    if file.suffix != ".gz":
        return file
    unpacked = folder / file.stem
    unpacked.write_bytes(gzip.decompress(file.read_bytes()))
    return unpacked


def _logto(workshop: Workshop) -> None:
    """Run its files of tables in the order that they ask for, without what manages roles and rows."""
    package = workshop.npm("@logto/schemas@1.43.0")
    model = (package / "lib" / "models" / "tenants.js").read_text(encoding="utf-8")
    tenants = re.sub(r"\$\{[^}]*\}", "x", model.split("`")[1])
    files = [file.read_text(encoding="utf-8") for file in sorted((package / "tables").glob("[a-z]*.sql"))]
    functions = (package / "tables" / "_functions.sql").read_text(encoding="utf-8")
    everything = workshop.folder / "logto.sql"
    in_order = sorted([tenants, functions, *files], key=_init_order)
    everything.write_text(";\n".join(in_order), encoding="utf-8")
    workshop.sql(everything)


def _init_order(text: str) -> float:
    found = re.search(r"init_order = ([0-9.]+)", text)
    return float(found[1]) if found else 9.0


_ZABBIX = tuple(f"usr/share/zabbix-server-pgsql/{name}.sql.gz" for name in ("schema", "images", "data"))

SOURCES = (
    Source(
        "airflow",
        "Apache Airflow 3.3.2",
        "its models",
        _python("make_airflow", "apache-airflow==3.3.2", "psycopg2-binary", "asyncpg"),
    ),
    Source("buildbot", "Buildbot 4.3.0", "its models", _python("make_buildbot", "buildbot==4.3.0")),
    Source(
        "galaxy",
        "Galaxy 26.1.2",
        "its models",
        _python("make_galaxy", "galaxy-data==26.1.2", "psycopg2-binary"),
    ),
    Source(
        "indico", "Indico 3.2.9", "its models, with its first rows", _python("make_indico", "indico==3.2.9")
    ),
    Source(
        "kea",
        "Kea 2.2 (Debian)",
        "its SQL file",
        _debian("kea-admin", "usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql"),
    ),
    Source(
        "keystone",
        "OpenStack Keystone 30.0.0",
        "its migrations",
        _python("make_keystone", "keystone==30.0.0"),
    ),
    Source(
        "ledgersmb",
        "LedgerSMB 1.6 (Debian)",
        "its SQL file",
        _debian("ledgersmb", "usr/share/ledgersmb/sql/Pg-database.sql"),
    ),
    Source("logto", "Logto 1.43.0 (npm)", "its SQL files", _logto),
    Source(
        "musicbrainz",
        "MusicBrainz (mbdata 31.0.1)",
        "its models",
        _python("make_musicbrainz", "mbdata==31.0.1", "sqlalchemy"),
    ),
    Source("nautobot", "Nautobot 3.2.7", "its models", _python("make_nautobot", "nautobot==3.2.7")),
    Source("neutron", "OpenStack Neutron 29.0.0", "its models", _python("make_neutron", "neutron==29.0.0")),
    Source(
        "openqa",
        "openQA 4.6 (Debian)",
        "its SQL file",
        _debian("openqa", "usr/share/openqa/dbicdh/PostgreSQL/deploy/98/001-auto.sql"),
    ),
    Source(
        "oscar",
        "django-oscar 4.2.1",
        "its migrations",
        _python("make_oscar", "django-oscar==4.2.1", "django<5", "sorl-thumbnail"),
    ),
    Source("pretix", "pretix 2026.8.0", "its models", _python("make_pretix", "pretix==2026.8.0")),
    Source("rucio", "Rucio 41.5.1", "its models", _python("make_rucio", "rucio==41.5.1")),
    Source(
        "superset",
        "Apache Superset 6.1.0",
        "its models",
        # Its cache passes an argument that later versions of flask-caching do not take.
        _python("make_superset", "apache-superset==6.1.0", "flask-caching<2.4", "psycopg2-binary"),
    ),
    Source(
        "trytond",
        "Tryton 8 with the modules of a trading company",
        "its modules",
        _python(
            "make_trytond",
            "trytond==8.2.1",
            *(f"trytond_{name}" for name in ("party", "account", "sale", "purchase", "stock", "production")),
        ),
    ),
    Source(
        "tt-rss",
        "Tiny Tiny RSS 21 (Debian)",
        "its SQL file",
        _debian("tt-rss", "usr/share/tt-rss/schema/ttrss_schema_pgsql.sql"),
    ),
    Source("wagtail", "Wagtail 8.0.1", "its migrations", _python("make_wagtail", "wagtail==8.0.1")),
    Source(
        "zabbix",
        "Zabbix 6.0 (Debian)",
        "its SQL files, with its rows",
        _debian("zabbix-server-pgsql", *_ZABBIX),
    ),
    Source("zou", "Zou 1.0.97", "its models", _python("make_zou", "zou==1.0.97")),
)
"""By name. Every second one is held back, from the second on: that was settled before the first result."""


def held_back() -> tuple[Source, ...]:
    """Return those that nothing was tuned on."""
    return SOURCES[1::2]


def tuned_on() -> tuple[Source, ...]:
    """Return those that may be looked at."""
    return SOURCES[::2]
