"""The catalog: what a target consists of, and how its parts are named."""

from pgvigil.catalog.model import (
    Catalog,
    Column,
    ForeignKey,
    Index,
    Key,
    Match,
    Operator,
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
from pgvigil.catalog.read import KINDS, catalog_queries, made_catalog, read_catalog
from pgvigil.catalog.scope import KEPT_SCHEMA, Scope

__all__ = [
    "KEPT_SCHEMA",
    "KINDS",
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
    "catalog_queries",
    "made_catalog",
    "parse_relation",
    "parse_table",
    "qualified",
    "quote",
    "read_catalog",
]
