"""The configuration of the sample: what its team wants to be watched."""

from __future__ import annotations

import json
from importlib.resources import files
from string import Template


def configuration(
    dsn: str,
    *,
    name: str = "games",
    state: str = "sqlite:///pgvigil.db",
    listen: str = "127.0.0.1:9925",
    every: str = "5m",
) -> str:
    """Write the configuration file, in YAML, that watches the sample at `dsn` as the target `name`.

    It holds the DSN, so it is as secret as its password. Its relations and its entity pair are right for the
    healthy sample as for any with faults in it.
    """
    values = {"dsn": dsn, "name": name, "state": state, "listen": listen, "every": every}
    # A JSON string is a YAML string, whatever is in it.
    quoted = {key: json.dumps(value, ensure_ascii=False) for key, value in values.items()}
    template = files(__package__).joinpath("configuration.yaml").read_text(encoding="utf-8")
    return Template(template).substitute(quoted)
