"""data-diff and reladiff, which compare tables as table_drift does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.environments import environment, worker

_WORKER = Path(__file__).with_name("others_worker.py")
# data-diff asks for dbt, which its Python API does not need and which can't be installed everywhere.
_WITHOUT_DEPENDENCIES = ("data-diff==0.11.2",)
_PACKAGES = (
    *("reladiff==0.6.0", "psycopg2-binary", "attrs", "click", "dsnparse<0.2", "keyring", "packaging"),
    *("mashumaro[msgpack]<3.11", "pydantic", "requests", "rich", "runtype", "tabulate", "toml", "urllib3<2"),
)
_TOOLS = (
    ("data_diff", "joindiff"),
    ("data_diff", "hashdiff"),
    ("reladiff", "joindiff"),
    ("reladiff", "hashdiff"),
)


@contextmanager
def comparing(
    dsn: str, key: str, columns: Sequence[str], other: str | None = None
) -> Iterator[dict[str, Callable[[], int]]]:
    """Yield, by tool, what compares the tables `a` and `b` and returns how many rows differ.

    `other` is the DSN of the database of `b`, when that is another one: then there is nothing to join.
    """
    python = environment("others", _PACKAGES, _WITHOUT_DEPENDENCIES)
    with ExitStack() as stack:
        yield {
            f"{tool.replace('_', '-')} {method}": stack.enter_context(
                worker([python, _WORKER, tool, method, dsn, other or dsn, key, *columns])
            )
            for tool, method in _TOOLS
            if python is not None and not (other and method == "joindiff")
        }
