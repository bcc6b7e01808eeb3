"""The settings that the documentation gives for PgBouncer, replicas and standbys, run as they stand there."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests import bouncer
from tests.cli.command import pgvigil
from tests.daemon.process import Daemon, daemon, until
from tests.databases import fresh_database
from tests.servers import required, standby_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded import Server

HOWTO = Path(__file__).parents[2] / "docs/howto"
SHOP = """
    CREATE TABLE customers (id int PRIMARY KEY);
    CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers);
    INSERT INTO orders VALUES (1, NULL);
    SET session_replication_role = replica;
    INSERT INTO orders VALUES (2, 7);
"""


def block(page: str, language: str) -> str:
    """Return the only block of a page in a language."""
    text = (HOWTO / page).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(found)


def examined(dsn: str) -> dict[str, Any]:
    """Return the report on a database with the fault of `SHOP`, which has to be complete."""
    answer = pgvigil("check", "--dsn", dsn, "--format", "json")
    report: dict[str, Any] = answer.json
    assert (answer.status, answer.err) == (1, "")
    assert report["coverage"]["unknown"] == 0
    assert [one["count"] for one in report["findings"] if one["check"] == "orphan_rows"] == [1]
    return report


@pytest.fixture
def shop(database: str) -> str:
    """A database with one order of nobody."""
    with psycopg.connect(database) as conn:
        conn.execute(SHOP)
    return database


def test_an_entry_of_its_own_in_pgbouncer(shop: str, pg_server: Server) -> None:
    if bouncer.program() is None and not required():
        pytest.skip("PgBouncer is not installed")
    name = psycopg.conninfo.conninfo_to_dict(shop)["dbname"]
    settings = block("pgbouncer.md", "ini")
    for written, here in {
        "host=db.example.net": f"host={pg_server.host}",
        "port=5432": f"port={pg_server.port}",
        "dbname=games": f"dbname={name}",
    }.items():
        assert written in settings
        settings = settings.replace(written, here)
    settings += f"stats_users = {pg_server.user}\n"  # who may ask PgBouncer itself
    with bouncer.in_front_of(pg_server, settings) as running:
        report = examined(running.dsn("games_pgvigil"))
        with psycopg.connect(running.dsn("pgbouncer"), autocommit=True) as admin:
            shown = admin.cursor(row_factory=psycopg.rows.dict_row).execute("SHOW DATABASES").fetchall()
    assert report["database"] == name
    (entry,) = [row for row in shown if row["name"] == "games_pgvigil"]
    assert (int(entry["pool_size"]), int(entry["reserve_pool"])) == (2, 0)


@pytest.mark.every_pg
def test_a_standby_is_watched_with_a_role_of_the_primary(own_server: Server) -> None:
    with psycopg.connect(own_server.dsn(), autocommit=True) as primary:
        primary.execute(SHOP)
        primary.execute(pgvigil("grants", "--dsn", own_server.dsn()).out)
        primary.execute("ALTER ROLE pgvigil PASSWORD 'secret'")
        written = re.findall(r"^(\w+) = (.+)$", block("replicas.md", "ini"), re.MULTILINE)
        with standby_of(own_server, dict(written)) as standby:
            role = {"user": "pgvigil", "password": "secret"}
            examined(make_conninfo(standby.dsn(), **role))
            with psycopg.connect(standby.dsn(), autocommit=True) as conn:
                for name, value in written:
                    assert conn.execute("SELECT current_setting(%s)", [name]).fetchone() == (value,)
            # As the page says: whichever is up, the standby rather than the primary.
            both = {"host": "127.0.0.1,127.0.0.1", "port": f"{own_server.port},{standby.port}"}
            anyone = make_conninfo(own_server.dsn(), **role, **both, target_session_attrs="prefer-standby")
            with psycopg.connect(anyone) as conn:
                assert conn.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
            examined(anyone)
        examined(anyone)


@pytest.fixture
def state_url(pg_server: Server) -> Iterator[str]:
    """A state store as the page makes it: the database of a role that has nothing else, by two host names."""
    with fresh_database(pg_server) as dsn, psycopg.connect(dsn, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
        admin.execute(f"ALTER DATABASE {name} OWNER TO {name}; REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
        hosts = f"host=127.0.0.1:1&host=127.0.0.1:{pg_server.port}"
        yield f"postgresql+psycopg://{name}:secret@/{name}?{hosts}&target_session_attrs=read-write"
    with psycopg.connect(pg_server.dsn(), autocommit=True) as admin:
        admin.execute(f"DROP ROLE {name}")


def test_two_daemons_share_a_store(shop: str, state_url: str, tmp_path: Path) -> None:
    text = block("replicas.md", "yaml")
    for written, here in {
        "!env GAMES_DSN": repr(shop),
        "postgresql+psycopg://pgvigil_state@state.example.net/pgvigil": state_url,
        "127.0.0.1:9925": "127.0.0.1:0",
    }.items():
        assert written in text
        text = text.replace(written, here)
    configs = [tmp_path / name / "pgvigil.yaml" for name in ("one", "other")]
    for config in configs:
        config.parent.mkdir()
        config.write_text(text, encoding="utf-8")

    with ExitStack() as stack:
        leading = stack.enter_context(daemon(configs[0]))
        until(lambda: faults(leading))
        standing_by = stack.enter_context(daemon(configs[1]))
        until(lambda: faults(standing_by))
        assert leads(leading)
        assert not leads(standing_by)
        leading.kill()
        until(lambda: leads(standing_by))
        assert faults(standing_by) == 1


def faults(running: Daemon) -> float:
    return running.total("pgvigil_violations", check="orphan_rows")


def leads(running: Daemon) -> bool:
    return running.total("pgvigil_leader") == 1


def test_the_role_s_script_is_made_before_the_role_is_there(shop: str, tmp_path: Path) -> None:
    """As the page on least privilege has it: the configuration's own DSN cannot log in yet."""
    config = tmp_path / "pgvigil.yaml"
    lines = [
        "targets:",
        f"  shop: {{dsn: {make_conninfo(shop, user='nobody_yet')!r}}}",
        "  other: {dsn: dbname=x}",
    ]
    config.write_text("\n".join(lines), encoding="utf-8")
    page = (HOWTO / "least-privilege.md").read_text(encoding="utf-8")
    (options,) = re.findall(r'^    pgvigil (grants .+?) --dsn ".+?" > pgvigil.sql$', page, re.MULTILINE)
    words = options.replace("pgvigil.yaml", str(config)).split()
    script = pgvigil(*words, "--dsn", shop)
    assert (script.status, script.err) == (0, "")
    assert "public.orders" in script.out
