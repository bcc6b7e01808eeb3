"""The catalog: what a target consists of, and how its parts are named."""

from pgvigil.catalog.model import (
    Catalog,
    Column,
    ForeignKey,
    Index,
    Key,
    Match,
    Operator,
    Scope,
    Table,
    TableKind,
    TriggerState,
)
from pgvigil.catalog.names import (
    PairName,
    RelationName,
    TableName,
    parse_relation,
    parse_table,
    qualified,
    quote,
)
from pgvigil.catalog.read import read_catalog

__all__ = [
    "Catalog",
    "Column",
    "ForeignKey",
    "Index",
    "Key",
    "Match",
    "Operator",
    "PairName",
    "RelationName",
    "Scope",
    "Table",
    "TableKind",
    "TableName",
    "TriggerState",
    "parse_relation",
    "parse_table",
    "qualified",
    "quote",
    "read_catalog",
]
