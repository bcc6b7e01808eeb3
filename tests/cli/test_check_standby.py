"""What the commands say of a standby that cannot be read: whose error it is, and who was read instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.cli.command import pgvigil
from tests.engine.world import dead_dsn

if TYPE_CHECKING:
    from pathlib import Path

ORPHAN = """
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (parent int REFERENCES parent);
    CREATE TABLE other (parent int REFERENCES parent)
"""
DEAD = "standby of shop: cannot connect: "


@pytest.fixture
def file(database: str, tmp_path: Path) -> Path:
    """A configuration whose standby does not listen, with the fallback to the primary."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(ORPHAN)
    file = tmp_path / "pgvigil.yaml"
    standby = f"{{dsn: '{dead_dsn(database)}', fallback: primary}}"
    file.write_text(f"targets:\n  shop:\n    dsn: '{database}'\n    standby: {standby}\n", encoding="utf-8")
    return file


def test_check_warns_once_that_the_primary_was_read_instead(file: Path) -> None:
    answer = pgvigil("check", "--config", file, "--check", "orphan_rows")
    assert answer.status == 0
    (warning,) = answer.err.splitlines()
    assert warning.startswith(f"pgvigil: warning: 2 subjects were read on the primary instead: {DEAD}")


def test_without_a_fallback_every_subject_says_that_nothing_was_read(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace("primary}", "none}"), encoding="utf-8")
    answer = pgvigil("check", "--config", file, "--check", "orphan_rows")
    assert (answer.status, answer.err) == (3, "")
    errors = [line for line in answer.out.splitlines() if f"error: {DEAD}" in line]
    assert len(errors) == 2
    assert all(line.endswith("; nothing was read, as standby.fallback is none") for line in errors)


def test_config_check_says_whose_error_it_is(file: Path) -> None:
    answer = pgvigil("config", "check", "--connect", file)
    assert answer.status == 2
    (error,) = answer.err.splitlines()
    assert f"{file}:4: targets.shop.standby: {DEAD}" in error
