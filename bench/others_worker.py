"""Runs in the environment of the tools that pgvigil is compared with, and imports nothing of ours.

python others_worker.py TOOL METHOD DSN OTHER KEY COLUMN…: for each line that it reads it compares the tables
`a` of one DSN and `b` of the other once, and writes how many rows differ.
"""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    tool_name, method, dsn, other, key, *columns = sys.argv[1:]
    tool = importlib.import_module(tool_name)
    algorithm = tool.Algorithm.JOINDIFF if method == "joindiff" else tool.Algorithm.HASHDIFF
    print("ready", flush=True)
    for _ in sys.stdin:
        left, right = (
            tool.connect_to_table(where, name, key, extra_columns=tuple(columns), thread_count=2)
            for where, name in ((dsn, "a"), (other, "b"))
        )
        differing = {row[0] for _, row in tool.diff_tables(left, right, algorithm=algorithm)}
        print(len(differing), flush=True)


main()
