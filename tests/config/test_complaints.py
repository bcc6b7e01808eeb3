"""What a person is told about a file that is wrong: the line, the path of the setting, what was expected."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Complaint = Callable[..., str]


def target(settings: str) -> str:
    return f"targets:\n  a:\n    dsn: dbname=a\n    {settings}\n"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("evry: 5m", "4: targets.a.evry: unknown key; did you mean 'every'?"),
        (
            "budget: {nonsense: 2}",
            """4: targets.a.budget.nonsense: unknown key; there are \
chunk, connections, duty_cycle, lock_timeout, pause, sample, statement_timeout, window""",
        ),
        (
            "budget: {connections: many}",
            "4: targets.a.budget.connections: expected a whole number, got 'many'",
        ),
        ("budget: {connections: 1.5}", "4: targets.a.budget.connections: expected a whole number, got 1.5"),
        (
            "budget: {connections: 0}",
            "4: targets.a.budget.connections: should be greater than or equal to 1, got 0",
        ),
        ("budget: {duty_cycle: .nan}", "4: targets.a.budget.duty_cycle: expected a number, got '.nan'"),
        ("budget: 5", "4: targets.a.budget: expected a mapping, got 5"),
        ("every: 5", "4: targets.a.every: 5 has no unit: write 5ms, 5s, 5m, 5h or 5d"),
        ("every: 0s", "4: targets.a.every: expected a duration from 1s to 3650d"),
        (
            "every: soon",
            "4: targets.a.every: expected a duration such as 500ms, 30s, 5m, 1h30m or 7d",
        ),
        ("cron: '99 * * * *'", "4: targets.a.cron: '99' is no minute (0 to 59)"),
        (
            "cron: hourly",
            '4: targets.a.cron: expected cron\'s five fields, such as "*/5 * * * *" or "30 4 * * mon-fri"',
        ),
        ("zones: raw", "4: targets.a.zones: expected a list, got 'raw'"),
        ("zones: [raw, 3]", "4: targets.a.zones[1]: expected text, got 3"),
        (
            "schemas: {include: []}",
            "4: targets.a.schemas.include: expected at least 1, got an empty list",
        ),
        ("checks: [orphan_rows]", "4: targets.a.checks: expected a mapping, got a list"),
        ("checks: {orphan_rows: on}", "4: targets.a.checks.orphan_rows: expected a mapping, got 'on'"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    complaint: Complaint, settings: str, expected: str
) -> None:
    assert complaint(target(settings)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", " is empty: expected at least targets, with a dsn each"),
        ("# nothing yet\n", " is empty: expected at least targets, with a dsn each"),
        ("- a\n", "1: expected a mapping with at least the key targets"),
        ("web: {listen: '127.0.0.1:0'}\n", "1: targets: is missing"),
        ("targets: {}", "1: targets: names no target: expected a name with a dsn below it"),
        ("targets: {a: }", "1: targets.a.dsn: is missing"),
        ("targets:\n  a: {dsn: 5432}", "2: targets.a.dsn: expected text, got a number"),
        (
            "targets:\n  a b: {dsn: dbname=a}",
            "2: targets['a b']: expected a name of letters, digits, '_', '-' and '.', 63 of them at the most",
        ),
        (
            "targets:\n  a: {dsn: dbname=a, changes: logical, standby: {dsn: dbname=a}}",
            "2: targets.a: `changes: logical` and `standby` exclude each other: leave one of them out",
        ),
        ("targets:\n  a: {dsn: dbname=a, standby: {}}", "2: targets.a.standby.dsn: is missing"),
        (
            "a:\n  - b\n c: d\n",
            "3: is not valid YAML: expected <block end>, but found '<block mapping start>'",
        ),
        ("a: [1, 2\n", "2: is not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\n---\nb: 2\n", "2: is not valid YAML: but found another document"),
        ("a: 1\nb: \x07\n", "2: is not valid YAML: special characters are not allowed"),
        (b"a: 1\nb: \xff\n", "2: is not UTF-8 text (byte 0xff)"),
        (bytes(range(256)), "2: is not UTF-8 text (byte 0x80)"),
        (
            "targets: !python/object a",
            "1: targets: unknown tag: there are !env and !file; quote text that begins with '!'",
        ),
        ("? {a: b}\n: c\n", "1: line 1: a key must be plain text"),
        ("a: *nobody", "1: is not valid YAML: found undefined alias"),
        (
            "a: &a {dsn: dbname=a}\ntargets:\n  <<: *a\n",
            "3: targets['<<']: YAML 1.2 has no merge key: repeat the settings, or alias each",
        ),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(
    complaint: Complaint, text: str | bytes, expected: str
) -> None:
    assert complaint(text) == expected


def test_of_two_equal_keys_neither_wins_silently(complaint: Complaint) -> None:
    text = """\
    targets:
      a:
        dsn: dbname=a
        zones: [raw]
        zones: [curated]
      b: {dsn: dbname=b}
      a: {dsn: dbname=other}
    """
    assert complaint(dedent(text)).splitlines() == [
        "5: targets.a.zones: duplicate key; the first is in line 4",
        "7: targets.a: duplicate key; the first is in line 2",
    ]


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file(complaint: Complaint) -> None:
    text = """\
    web: {listen: everywhere}
    targts: {}
    targets:
      a:
        every: 5
      b:
        dsn: dbname=b
        budget:
          lock_timeout: 1
    """
    assert complaint(dedent(text)).splitlines() == [
        "1: web.listen: expected HOST:PORT such as 127.0.0.1:9925, [::1]:9925 or 0.0.0.0:9925",
        "2: targts: unknown key; did you mean 'targets'?",
        "4: targets.a.dsn: is missing",
        "5: targets.a.every: 5 has no unit: write 5ms, 5s, 5m, 5h or 5d",
        "9: targets.b.budget.lock_timeout: 1 has no unit: write 1ms, 1s, 1m, 1h or 1d",
    ]


def test_a_hundred_faults_do_not_fill_the_screen(read: Callable[..., object]) -> None:
    with pytest.raises(Exception, match="… and 80 more"):
        read("".join(f"key{number}: 1\n" for number in range(99)))


def test_deep_nesting_and_endless_aliases_end(complaint: Complaint) -> None:
    laughs = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10))
    assert complaint("[" * 100_000) == "1: is not valid YAML: nested more than 40 levels deep"
    assert "aliases unfold to too many values" in complaint(f"a0: &a0 ha\n{laughs}\n")
    assert complaint("a: &a [*a]") == "1: a[0][0]: aliases unfold to too many values"


def test_a_file_of_megabytes_is_not_read(complaint: Complaint) -> None:
    assert complaint("a: " + "x" * 1_000_001) == " is larger than 1000000 bytes, which no configuration is"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!env NOWHERE", "environment variable NOWHERE is not set"),
        ("!file nowhere", "nowhere cannot be read: No such file or directory"),
        ("!env", "expected !env NAME or !env [NAME, default]"),
        ("!file", "expected !file PATH"),
        ("!env [A, b, c]", "expected !env NAME or !env [NAME, default]"),
        ("!file [a]", "expected !file PATH"),
    ],
)
def test_a_secret_that_is_not_there_is_named(complaint: Complaint, value: str, expected: str) -> None:
    assert complaint(f"targets:\n  a:\n    dsn: {value}\n") == f"3: targets.a.dsn: {expected}"
