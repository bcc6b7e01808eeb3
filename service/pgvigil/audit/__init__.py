"""The audit: what a target holds, what refers to what, what is in pieces, and what became of it since."""

from pgvigil.audit.model import (
    Audit,
    Crossing,
    Fragment,
    FragmentKind,
    IndexFault,
    IndexNote,
    Inventory,
    MapPair,
    MapRelation,
    Origin,
    SchemaInventory,
    TableInventory,
)

__all__ = [
    "Audit",
    "Crossing",
    "Fragment",
    "FragmentKind",
    "IndexFault",
    "IndexNote",
    "Inventory",
    "MapPair",
    "MapRelation",
    "Origin",
    "SchemaInventory",
    "TableInventory",
]
