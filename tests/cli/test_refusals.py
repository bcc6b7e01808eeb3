"""Bad input: one line that says what and where, the contract's exit status, never a traceback."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvigil.embedded import Server
from tests.cli.command import PROGRAM, pgvigil, refused

TARGET = "targets:\n  shop:\n    dsn: {dsn}\n"


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "pgvigil.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_nothing_to_watch() -> None:
    refused(pgvigil("check"), 2, "--dsn", "--config")


def test_a_server_that_is_not_there() -> None:
    refused(pgvigil("check", "--dsn", "postgresql://u:secret@127.0.0.1:1/x"), 3, "127.0.0.1")


def test_a_host_that_is_not_there() -> None:
    refused(pgvigil("check", "--dsn", "postgresql://u:hidden@nowhere.invalid/x"), 3, "nowhere.invalid")


def test_a_wrong_password(pg_server: Server) -> None:
    answer = pgvigil("check", "--dsn", make_conninfo(pg_server.dsn(), password="swordfish"))
    refused(answer, 3, "password authentication failed")
    assert "swordfish" not in answer.err


def test_a_database_that_is_not_there(pg_server: Server) -> None:
    refused(pgvigil("check", "--dsn", pg_server.dsn("nosuch")), 3, "nosuch")


def test_what_is_no_dsn() -> None:
    refused(pgvigil("check", "--dsn", "postgresql://u:pass word@@/:x"), 2, "connection string")


def test_a_check_and_a_subject_that_are_not_there(sound: str) -> None:
    refused(pgvigil("check", "--dsn", sound, "--check", "orphans"), 2, "orphans", "orphan_rows")
    both = ("--subject", "shop.*", "--subject", "nosuch.*")
    refused(pgvigil("check", "--dsn", sound, *both), 2, "no subject matches nosuch.*;")
    refused(pgvigil("check", "--dsn", sound, "--target", "shop"), 2, "--target")


def test_a_schema_that_is_not_there(sound: str, tmp_path: Path) -> None:
    config = written(tmp_path, TARGET.format(dsn=sound) + "    schemas: {include: [shop, warehouse]}\n")
    for command in (("check", "--config", config), ("config", "check", "--connect", config)):
        refused(pgvigil(*command), 2, f"{config}:4", "targets.shop.schemas.include", "warehouse")


def test_malformed_yaml(tmp_path: Path) -> None:
    config = written(tmp_path, "targets:\n  shop: {dsn: [\n")
    refused(pgvigil("config", "check", config), 2, f"{config}:")
    refused(pgvigil("run", "--config", config), 2, f"{config}:")


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    refused(pgvigil("check", "--config", tmp_path / "nosuch.yaml"), 2, "nosuch.yaml")


def test_duplicate_names(tmp_path: Path) -> None:
    config = written(tmp_path, "targets:\n  shop: {dsn: dbname=a}\n  shop: {dsn: dbname=b}\n")
    refused(pgvigil("config", "check", config), 2, f"{config}:3", "shop")


def test_unknown_keys_and_wrong_types_are_all_told_a_line_each(tmp_path: Path) -> None:
    config = written(
        tmp_path, "targets:\n  shop:\n    dsn: dbname=a\n    evry: 5m\n    budget: {sample: lots}\n"
    )
    answer = pgvigil("config", "check", config)
    lines = answer.err.splitlines()
    assert answer.status == 2
    assert [line.split(": ")[1] for line in lines] == [f"{config}:4", f"{config}:5"]
    assert "did you mean 'every'" in lines[0]


@pytest.mark.parametrize(
    ("section", "line", "words"),
    [
        (
            "orphan_rows: {relations: ['shop.orders(client) -> shop.customers(id)']}",
            5,
            ("relations[0]", "client"),
        ),
        (
            "orphan_rows: {relations: ['shop.orders(id) -> shop.clients(id)']}",
            5,
            ("relations[0]", "shop.clients"),
        ),
        (
            "table_drift: {pairs: [{left: shop.customers, right: shop.lines_1}]}",
            5,
            ("pairs[0]", "key"),
        ),
    ],
    ids=["no column", "no table", "a pair without a key"],
)
def test_a_setting_that_does_not_fit_the_database(
    section: str, line: int, words: tuple[str, ...], sound: str, tmp_path: Path
) -> None:
    config = written(tmp_path, f"{TARGET.format(dsn=sound)}    checks:\n      {section}\n")
    for command in (("check", "--config", config), ("config", "check", "--connect", config)):
        refused(pgvigil(*command), 2, f"{config}:{line}", "targets.shop.checks", *words)
    # The file alone is well-formed.
    assert pgvigil("config", "check", config).status == 0


def test_all_that_does_not_fit_the_database_is_told_at_once(sound: str, tmp_path: Path) -> None:
    config = written(
        tmp_path,
        TARGET.format(dsn=sound)
        + "    schemas: {include: ['*', warehouse]}\n    checks:\n      orphan_rows:\n"
        + "        severity: {'shp.*': warning}\n"
        + "        relations: ['shop.orders(id) -> shop.clients(id)']\n",
    )
    answer = pgvigil("config", "check", "--connect", config)
    assert answer.status == 2
    assert [line.split(": ")[1] for line in answer.err.splitlines()] == [f"{config}:{n}" for n in (4, 7, 8)]


def test_what_is_no_relation_is_told_without_a_database(tmp_path: Path) -> None:
    config = written(
        tmp_path,
        f"{TARGET.format(dsn='dbname=a')}    checks:\n      orphan_rows:\n"
        "        relations:\n        - a -> b\n",
    )
    refused(pgvigil("config", "check", config), 2, f"{config}:7", "relations[0]")


def test_several_targets_need_a_choice(tmp_path: Path) -> None:
    config = written(tmp_path, "targets:\n  a: {dsn: dbname=a}\n  b: {dsn: dbname=b}\n")
    refused(pgvigil("check", "--config", config), 2, "--target", "a, b")
    refused(pgvigil("check", "--config", config, "--target", "c"), 2, "no target c")
    refused(pgvigil("run", "--config", config, "--dsn", "dbname=c"), 2, "a, b")


def test_wrong_usage_is_told_in_one_line() -> None:
    refused(pgvigil("chek"), 2, "no such command 'chek'", "(see pgvigil -h)")
    refused(pgvigil("--nope"), 2, "no such option: --nope (see pgvigil -h)")
    refused(pgvigil("check", "--frmat", "json"), 2, "no such option: --frmat", "(see pgvigil check -h)")
    refused(pgvigil("proposals", "nope"), 2, "no such command 'nope' (see pgvigil proposals -h)")
    refused(pgvigil("init", "more"), 2, "unexpected extra argument", "(see pgvigil init -h)")
    refused(pgvigil("check", "--dsn"), 2, "option '--dsn' requires an argument")


@pytest.mark.parametrize("group", [(), ("slot",)])
def test_without_a_command_there_is_the_help(group: tuple[str, ...]) -> None:
    answer = pgvigil(*group)
    assert answer.status == 2
    assert "Commands:" in answer.out + answer.err


def test_a_wrong_value_is_told_in_one_line_with_those_that_may_be() -> None:
    values = "invalid value for '--fail-on': 'fatal' is not one of 'critical', 'warning', 'info'"
    refused(pgvigil("check", "--dsn", "dbname=x", "--fail-on", "fatal"), 2, values)
    refused(pgvigil("deployment", "mark"), 2, "missing option '--version' (see pgvigil deployment mark -h)")


@pytest.mark.parametrize("arguments", [("config", "schema"), ("--help",), ("slot", "--help")])
def test_a_full_disk_is_nothing_to_report(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [PROGRAM, *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == "pgvigil: what is to be told cannot be written: No space left on device\n"


def test_a_missing_password_is_told_with_where_it_may_be(sound: str) -> None:
    parts = conninfo_to_dict(sound)
    del parts["password"]
    told = "no password supplied (put it into ~/.pgpass or PGPASSWORD, or into the DSN by `!env` or `!file`"
    refused(pgvigil("check", "--dsn", make_conninfo(**parts)), 3, told)


def test_a_state_store_that_cannot_be(sound: str, tmp_path: Path) -> None:
    missing = tmp_path / "no" / "such" / "folder" / "state.db"
    refused(pgvigil("run", "--dsn", sound, "--state", f"sqlite:///{missing}"), 3, str(missing))
    refused(pgvigil("run", "--dsn", sound, "--state", "mysql://x"), 2, "--state", "sqlite:///")
    refused(pgvigil("run", "--dsn", sound, "--listen", "9925"), 2, "--listen", "HOST:PORT")


def test_a_web_configuration_that_is_wrong_is_told_before_a_start(tmp_path: Path) -> None:
    text = "web: {config_file: web.yml}\n" + TARGET.format(dsn="dbname=shop")
    file = written(tmp_path, text)
    refused(pgvigil("config", "check", file), 2, "web.yml", "cannot be read")
    (tmp_path / "web.yml").write_text("basic_auth_users: {anna: secret}\n")
    answer = pgvigil("config", "check", file)
    refused(answer, 2, "web.yml:1", "basic_auth_users.anna")
    assert "secret" not in answer.err
    (tmp_path / "web.yml").write_text("http_server_config: {}\n")
    assert pgvigil("config", "check", file).status == 0
