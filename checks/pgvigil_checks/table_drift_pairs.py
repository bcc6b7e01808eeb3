"""Fits the configured pairs to a catalog: what is compared with what, or why that cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches

from pgvigil.catalog import Catalog, Column, PairName, Table, TableName
from pgvigil.check import Problem
from pgvigil_checks import table_drift_expression as expression
from pgvigil_checks.table_drift_model import ColumnPair, EntityPair, Expression, KeyPart, Match
from pgvigil_checks.table_drift_settings import Pair
from pgvigil_checks.table_drift_types import Equality, equality, is_moment, is_number

_NEWER = ("updated_at", "modified_at", "changed_at", "last_updated", "last_modified", "updated", "modified")


class _MisfitError(Exception):
    """A setting that does not fit; `path` leads to it inside the pair's section."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


def fit(pair: Pair, index: int, catalog: Catalog, peer: Catalog | None = None) -> EntityPair | Problem:
    """Fit one pair to the catalog; `index` is its place among the configured ones.

    `peer` is the catalog of the target that the right table lives in, when that is another one.
    """
    try:
        return _Fitting(pair, catalog, peer or catalog).entity_pair()
    except _MisfitError as misfit:
        return _problem(pair, index, misfit)


def fit_left(pair: Pair, index: int, catalog: Catalog) -> Table | Problem:
    """Fit the left side alone, as far as that can be; the right one's catalog is another target's."""
    try:
        table = _table(catalog, pair.left, "left")
        for text in pair.key:
            _key_side(table, text, text)
        for name in pair.columns or ():
            _column(table, name, "columns", name)
    except _MisfitError as misfit:
        return _problem(pair, index, misfit)
    return table


def named(pair: Pair) -> str:
    """Return the name of a pair as a subject."""
    return str(PairName(pair.left, pair.right, pair.right_target))


def _problem(pair: Pair, index: int, misfit: _MisfitError) -> Problem:
    return Problem(("pairs", index, *misfit.path), str(misfit), named(pair))


class _Fitting:
    """One pair on its way from settings to tables and columns."""

    def __init__(self, pair: Pair, catalog: Catalog, peer: Catalog) -> None:
        if pair.left == pair.right and not pair.right_target:
            raise _MisfitError(f"{pair.left} is paired with itself")
        self.pair = pair
        self.left = _table(catalog, pair.left, "left")
        self.right = _table(peer, pair.right, "right", pair.right_target)

    def entity_pair(self) -> EntityPair:
        key = self._key()
        matched = self._named_columns() if self.pair.columns is not None else self._same_columns(key)
        columns = tuple(self._column_pairs(matched))
        self._require_use_of_tolerances(columns)
        ignored = self._ignored()
        typed = [*matched, *(match for part in key if (match := part.columns))]
        left_known, right_known = self._known(key, matched)
        return EntityPair(
            left=self.left,
            right=self.right,
            key=key,
            columns=columns,
            budget=self.pair.budget,
            newer=self._newer(columns),
            left_alone=_alone(self.left, ignored | left_known),
            right_alone=_alone(self.right, ignored | right_known),
            unlike=tuple(match for match in typed if match[0].type != match[1].type and equality(*match)),
            incomparable=tuple(match for match in matched if equality(*match) is None),
            right_target=self.pair.right_target,
        )

    def _key(self) -> tuple[KeyPart, ...]:
        if self.pair.key:
            return tuple(self._key_part(left, right) for left, right in self.pair.key.items())
        shared = _shared_primary_key(self.left, self.right)
        if not shared:
            raise _MisfitError(
                f"{self.left} and {self.right} have no primary key in common: name a key,"
                " such as key: {id: id}"
            )
        return tuple(self._key_part(name, name) for name in shared)

    def _key_part(self, left_text: str, right_text: str) -> KeyPart:
        left = _key_side(self.left, left_text, left_text)
        right = _key_side(self.right, right_text, left_text)
        if not (isinstance(left, Column) and isinstance(right, Column)):
            # What they compute is asked of the server, by the run.
            return KeyPart(left, right, Equality())
        found = equality(left, right)
        if found is None:
            raise _MisfitError(
                f"{left.name} is {left.type} and {right.name} is {right.type}:"
                f" cast one side, such as key: {{{left.name}::text: {right.name}::text}}",
                "key",
                left_text,
            )
        return KeyPart(left, right, found)

    def _named_columns(self) -> list[Match]:
        matched = []
        for left_name, right_name in (self.pair.columns or {}).items():
            at = ("columns", left_name)
            left = _column(self.left, left_name, *at)
            right = _column(self.right, right_name, *at)
            if equality(left, right) is None:
                raise _MisfitError(f"{left.type} cannot be compared with {right.type}", *at)
            matched.append((left, right))
        return matched

    def _same_columns(self, key: tuple[KeyPart, ...]) -> list[Match]:
        """Pair the columns by name, but for the key's and for surrogates, which are each table's own."""
        left_taken = {part.left.name for part in key if isinstance(part.left, Column)}
        right_taken = {part.right.name for part in key if isinstance(part.right, Column)}
        left_primary, right_primary = _primary_key(self.left), _primary_key(self.right)
        surrogate = set(left_primary) if left_primary == right_primary and len(left_primary) == 1 else set()
        leave_out = left_taken | right_taken | surrogate | self._ignored()
        return [(left, right) for left, right in self._same_names() if left.name not in leave_out]

    def _same_names(self) -> list[Match]:
        pairs = ((left, self.right.column(left.name)) for left in self.left.columns)
        return [(left, right) for left, right in pairs if right is not None]

    def _known(self, key: tuple[KeyPart, ...], matched: list[Match]) -> tuple[set[str], set[str]]:
        """Return the columns of either side that belong to one of the other, compared or not."""
        left = {left.name for left, _ in matched}.union(*(_used(part.left) for part in key))
        right = {right.name for _, right in matched}.union(*(_used(part.right) for part in key))
        # Of two columns of one name, a setting may give one to a third: the other is left alone then.
        left_over = {one.name for one, _ in self._same_names() if one.name not in left | right}
        return left | left_over, right | left_over

    def _ignored(self) -> set[str]:
        known = {column.name for table in (self.left, self.right) for column in table.columns}
        for name in self.pair.ignore:
            if name not in known:
                raise _MisfitError(f"neither table has a column {name!r}{_near(name, known)}", "ignore")
        return set(self.pair.ignore)

    def _column_pairs(self, matched: list[Match]) -> Iterator[ColumnPair]:
        for left, right in matched:
            found = equality(left, right)
            if found is not None:
                tolerance = self.pair.tolerance.get(left.name)
                _require_fitting(tolerance, left, right)
                yield ColumnPair(left, right, found, tolerance)

    def _require_use_of_tolerances(self, columns: tuple[ColumnPair, ...]) -> None:
        compared = {column.left.name for column in columns}
        for name in self.pair.tolerance:
            if name not in compared:
                raise _MisfitError(f"{name!r} is not compared{_near(name, compared)}", "tolerance", name)

    def _newer(self, columns: tuple[ColumnPair, ...]) -> ColumnPair | None:
        moments = {c.left.name: c for c in columns if is_moment(c.left) and is_moment(c.right)}
        if self.pair.newer is None:
            return next((moments[name] for name in _NEWER if name in moments), None)
        if self.pair.newer not in moments:
            near = _near(self.pair.newer, moments)
            raise _MisfitError(f"{self.pair.newer!r} is no compared date or timestamp{near}", "newer")
        return moments[self.pair.newer]


def _table(catalog: Catalog, name: TableName, side: str, target: str | None = None) -> Table:
    table = catalog.table(name)
    if table is None:
        elsewhere = [str(other) for other in catalog.named(name.name)]
        near = (
            f"; there is {', '.join(elsewhere)}" if elsewhere else _near(str(name), map(str, catalog.tables))
        )
        where = f" on target {target}" if target else ""
        raise _MisfitError(f"there is no table {name}{where}{near}", side)
    return table


def _column(table: Table, name: str, *path: str) -> Column:
    column = table.column(name)
    if column is None:
        near = _near(name, (column.name for column in table.columns))
        raise _MisfitError(f"{table} has no column {name!r}{near}", *path)
    return column


def _key_side(table: Table, text: str, entry: str) -> Column | Expression:
    """Return the column of that name or, when the text computes something, the expression."""
    if table.column(text) is not None or expression.is_name(text):
        return _column(table, text, "key", entry)
    flaw = expression.flaw(text)
    if flaw is not None:
        raise _MisfitError(f"{text!r} is neither a column of {table} nor an expression: {flaw}", "key", entry)
    return Expression(text)


def _used(side: Column | Expression) -> set[str]:
    """Return the columns that a side of a key is made of."""
    return {side.name} if isinstance(side, Column) else set(expression.names(side.name))


def _primary_key(table: Table) -> tuple[str, ...]:
    return next((key.columns for key in table.keys if key.primary), ())


def _shared_primary_key(left: Table, right: Table) -> tuple[str, ...]:
    names = _primary_key(left)
    if set(names) != set(_primary_key(right)):
        return ()
    pairs = [(left.column(name), right.column(name)) for name in names]
    return names if all(one and other and equality(one, other) for one, other in pairs) else ()


def _require_fitting(tolerance: Decimal | timedelta | None, left: Column, right: Column) -> None:
    """Raise when a tolerance is not of the kind that two columns' values can be apart by."""
    if tolerance is None:
        return
    if is_number(left) and is_number(right):
        wanted, fits = "a number such as 0.01", isinstance(tolerance, Decimal)
    elif is_moment(left) and is_moment(right):
        wanted, fits = "a duration such as 15m", isinstance(tolerance, timedelta)
    else:
        wanted, fits = "none: neither number nor point in time", False
    if not fits:
        raise _MisfitError(
            f"a tolerance of {left.name}, {left.type} and {right.type}, is {wanted}", "tolerance", left.name
        )


def _alone(table: Table, known: set[str]) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.name not in known)


def _near(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(known), n=3)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
