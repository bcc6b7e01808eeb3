"""What people decided in a running pgvigil, as an audit minds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pgvigil.audit.inferring import Proposals
from pgvigil.audit.model import MapPair, MapRelation, Origin
from pgvigil.catalog import PairName
from pgvigil.proposal import Kind


def _undecided(_kind: Kind, _subject: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided of proposals; what was adopted is among the settings of the target already.

    `adopted` says in words, by subject, who did it; `holds` tells whether there is a decision on a subject,
    whichever way round it is written.
    """

    adopted: Mapping[str, str] = field(default_factory=dict)
    holds: Callable[[Kind, str], bool] = _undecided

    def undecided(self, proposed: Proposals) -> Proposals:
        """Return what nobody has decided on."""
        return Proposals(
            tuple(one for one in proposed.relations if not self.holds(Kind.RELATION, str(one.relation))),
            tuple(one for one in proposed.pairs if not self.holds(Kind.PAIR, str(one.name))),
        )

    def relations(self, mapped: Iterable[MapRelation]) -> tuple[MapRelation, ...]:
        """Return relations with the words of who adopted them as their evidence."""
        return tuple(
            replace(one, evidence=(self.adopted[one.subject],)) if self._adopted(one, one.subject) else one
            for one in mapped
        )

    def pairs(self, pairs: Iterable[MapPair]) -> tuple[MapPair, ...]:
        """Return pairs with the words of who adopted them as their evidence."""
        return tuple(
            replace(one, evidence=(self.adopted[name],))
            if self._adopted(one, name := str(PairName(one.left, one.right)))
            else one
            for one in pairs
        )

    def _adopted(self, one: MapRelation | MapPair, name: str) -> bool:
        return one.origin is Origin.CONFIGURED and name in self.adopted
