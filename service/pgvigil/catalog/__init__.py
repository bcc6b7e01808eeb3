"""The catalog: what a target consists of, and how its parts are named."""

from pgvigil.catalog.lineage import (
    CatalogObject,
    Lineage,
    lineage,
    oids,
    read_lineage,
    why_gone,
    written_lineage,
)
from pgvigil.catalog.misfit import relation_misfit
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
    unquote,
)
from pgvigil.catalog.read import KINDS, catalog_queries, made_catalog, read_catalog
from pgvigil.catalog.schema_changes import Change, ChangeKind, Part
from pgvigil.catalog.schema_compare import compare_schemas
from pgvigil.catalog.schema_read import constraints_query, made_state
from pgvigil.catalog.schema_state import SchemaState, TableState
from pgvigil.catalog.scope import KEPT_SCHEMA, Scope
from pgvigil.catalog.texts import FAITHFUL_ENCODINGS, REPLACED, is_faithful, may_be_damaged
from pgvigil.catalog.tracing import Traces, followed, traces

__all__ = [
    "FAITHFUL_ENCODINGS",
    "KEPT_SCHEMA",
    "KINDS",
    "REPLACED",
    "Catalog",
    "CatalogObject",
    "Change",
    "ChangeKind",
    "Column",
    "ForeignKey",
    "Index",
    "Key",
    "Lineage",
    "Match",
    "Operator",
    "PairName",
    "Part",
    "RelationName",
    "SchemaState",
    "Scope",
    "Table",
    "TableKind",
    "TableName",
    "TableState",
    "Traces",
    "TriggerState",
    "catalog_queries",
    "compare_schemas",
    "constraints_query",
    "followed",
    "is_faithful",
    "lineage",
    "made_catalog",
    "made_state",
    "may_be_damaged",
    "oids",
    "parse_relation",
    "parse_table",
    "qualified",
    "quote",
    "read_catalog",
    "read_lineage",
    "relation_misfit",
    "traces",
    "unquote",
    "why_gone",
    "written_lineage",
]
