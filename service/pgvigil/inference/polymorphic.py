"""Columns that refer to one of several tables, and the column beside them that says to which.

Such a pair is `owner_type` and `owner_id`. What the first one holds, only the server's statistics tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgvigil.catalog import Column, Table, quote
from pgvigil.catalog.statistics import Statistics
from pgvigil.inference.candidate import Candidate, Reason
from pgvigil.inference.circumstances import nearness
from pgvigil.inference.comparable import family
from pgvigil.inference.forms import Form, How
from pgvigil.inference.landscape import Landscape, SingleKey
from pgvigil.inference.reading import Ending
from pgvigil.inference.words import glue, split

_PATH = re.compile(r"[\\.:/]+")
_TYPES = frozenset({"type", "kind", "class", "model", "table", "entity"})


def polymorphic_candidates(landscape: Landscape, statistics: Statistics | None) -> Iterator[Candidate]:
    """Yield a candidate for each table that the values beside a reference name."""
    if statistics is None:
        return
    for child in landscape.tables:
        for column, beside in pairs_of(landscape, child):
            known = statistics.columns.get((child.oid, beside.number))
            for value, _ in known.common if known else ():
                for key, form in _named(landscape, child, column, value):
                    yield _candidate(landscape, child, column, beside, value, key, form)


def pairs_of(landscape: Landscape, child: Table) -> Iterator[tuple[Column, Column]]:
    """Yield the references of a table that have a column beside them that says to what, and that column.

    `object_id` beside `content_type_id`, as Django has them, is such a reference, too.
    """
    beside = {
        words[:-1]: column
        for column in child.columns
        if len(words := split(column.name)) > 1 and words[-1] in _TYPES and family(column)
    }
    content = child.column("content_type_id")
    if not beside and content is None:
        return
    for column in child.columns:
        if not landscape.may_refer(child, column):
            continue
        for reading in landscape.readings(split(column.name)):
            if reading.ending is Ending.REFERENCE and reading.stem in beside:
                yield column, beside[reading.stem]
            elif reading.ending is Ending.REFERENCE and reading.stem == ("object",) and content is not None:
                yield column, content


def doubt(landscape: Landscape, child: Table, statistics: Statistics | None) -> Iterator[tuple[str, Reason]]:
    """Yield the columns of a table that may refer to several others, with what speaks against one parent.

    Little does where a table is called like the column, and nothing tells that others are meant as well.
    """
    for column, beside in pairs_of(landscape, child):
        known = statistics.columns.get((child.oid, beside.number)) if statistics else None
        several = any(_named(landscape, child, column, value) for value, _ in (known.common if known else ()))
        sure = several or not _names_a_table(landscape, child, column)
        words = f"{quote(beside.name)} beside it may say to which of several tables it refers"
        yield column.name, Reason("beside_type", words, 1.0 if sure else 0.1)


def _names_a_table(landscape: Landscape, child: Table, column: Column) -> bool:
    return any(
        form.how in (How.FULL, How.BARE)
        for reading in landscape.readings(split(column.name))
        for form in landscape.forms.called(glue(reading.stem), child)
    )


def _named(landscape: Landscape, child: Table, column: Column, value: str) -> list[tuple[SingleKey, Form]]:
    r"""Return what a value names, be it `Post`, `blog.post` or `App\Models\Post`."""
    words = split(_PATH.split(value)[-1])
    return [
        (key, form)
        for form in landscape.forms.called(glue(words), child)
        if form.how in (How.FULL, How.BARE)
        for key in landscape.keys.get(form.table.oid, ())[:1]
        if key.family == family(column)
    ]


def _candidate(
    landscape: Landscape, child: Table, column: Column, beside: Column, value: str, key: SingleKey, form: Form
) -> Candidate:
    says = f"{quote(beside.name)} holds the name of the table, and the column its key"
    reasons = (
        Reason("polymorphic", says),
        Reason(f"name_{form.how}"),
        *nearness(landscape, child, key.table),
    )
    return Candidate(child, (column.name,), key.table, (key.column.name,), reasons, (beside.name, value))
