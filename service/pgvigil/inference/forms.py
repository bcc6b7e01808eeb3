"""What tables may be called: their names in whole or in part, in an index that finds them by it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pgvigil.catalog import Table
from pgvigil.inference.vocabulary import WRAPPERS
from pgvigil.inference.words import abbreviates, glue, inflects

# Of so many tables that a name may mean, it means none in particular.
_MANY = 12
# So many tables that begin with the same word share a prefix.
_SHARED = 3
# Words that an abbreviation may stand for.
_EXPANSIONS = 6
# Sets initials apart from names, which have no such character.
_INITIALS = "."


class How(StrEnum):
    """How a name speaks of a table: by its whole name, or which part of it."""

    FULL = "full"
    BARE = "bare"  # without a prefix that many tables share
    TAIL = "tail"  # its last words
    HEAD = "head"  # its first words


_WHOLE = (How.FULL, How.BARE)


@dataclass(frozen=True, slots=True)
class Form:
    """A way to speak of a table. `share` is how much of the table's name it has, 1 at most."""

    table: Table
    how: How
    share: float


class Forms:
    """Forms by glued name: everywhere, by schema, and by the table's first word.

    `words` are those of the tables' names, by oid; `identifiable` the tables that anything may refer to.
    """

    def __init__(self, words: Mapping[int, tuple[str, ...]], identifiable: Iterable[Table]) -> None:
        self._words = words
        self._everywhere: defaultdict[str, list[Form]] = defaultdict(list)
        self._whole: defaultdict[str, list[Form]] = defaultdict(list)
        self._nearer: defaultdict[tuple[str, str, bool], list[Form]] = defaultdict(list)
        self._vocabulary: defaultdict[str, set[str]] = defaultdict(set)
        self._expanded: dict[str, list[str]] = {}
        tables = list(identifiable)
        shared = _shared_prefixes(words[table.oid] for table in tables)
        for table in tables:
            for name, form in _forms_of(table, words[table.oid], shared):
                self._add(name, form)
            for word in words[table.oid]:
                self._vocabulary[word[0]].add(word)

    def __contains__(self, name: str) -> bool:
        return name in self._everywhere

    def called(self, name: str, near: Table) -> Sequence[Form]:
        """Return the forms of the tables that a glued name may mean to somebody in the table `near`.

        Where there are too many they are those of the same schema: with that very name, or with the same
        first word.
        """
        found = self._everywhere.get(name, ())
        if len(found) <= _MANY:
            return found
        whole: Sequence[Form] = self._whole.get(name, ())
        if len(whole) > _MANY:
            whole = self._nearer.get((near.schema, name, True), ())
        first = self._words[near.oid][:1]
        akin = self._nearer.get((f"{near.schema}.{glue(first)}", name, False), ())
        return [*whole[:_MANY], *akin[:_MANY]]

    def initials(self, letters: str, near: Table) -> Sequence[Form]:
        """Return the forms of tables whose words begin with these letters: `po` for purchase_order."""
        return self.called(_INITIALS + letters, near)

    def expanded(self, word: str) -> list[str]:
        """Return a word, and those of tables' names that it abbreviates or that abbreviate it."""
        if word not in self._expanded:
            longer = sorted(
                (other for other in self._vocabulary.get(word[0], ()) if _stand_for_each_other(word, other)),
                key=lambda other: (abs(len(other) - len(word)), other),
            )
            self._expanded[word] = [word, *longer[:_EXPANSIONS]]
        return self._expanded[word]

    def _add(self, name: str, form: Form) -> None:
        self._everywhere[name].append(form)
        if form.how in _WHOLE:
            self._whole[name].append(form)
            self._nearer[form.table.schema, name, True].append(form)
        else:
            first = self._words[form.table.oid][0]
            self._nearer[f"{form.table.schema}.{first}", name, False].append(form)


def _stand_for_each_other(word: str, other: str) -> bool:
    return inflects(word, other) or abbreviates(word, other) or abbreviates(other, word)


def _forms_of(
    table: Table, words: Sequence[str], shared: frozenset[tuple[str, ...]]
) -> Iterator[tuple[str, Form]]:
    core = unwrapped(words)
    if not core:
        return
    whole = len(glue(core))
    seen = set()
    for start in range(len(core)):
        name = glue(core[start:])
        bare = all(core[: end + 1] in shared for end in range(start))
        how = How.FULL if start == 0 else How.BARE if bare else How.TAIL
        seen.add(name)
        yield name, Form(table, how, len(name) / whole)
    for end in range(1, len(core)):
        name = glue(core[:end])
        if name not in seen:
            yield name, Form(table, How.HEAD, len(name) / whole)
    if len(core) > 1:
        yield _INITIALS + "".join(word[0] for word in core), Form(table, How.HEAD, 1.0)


def unwrapped(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a table's name without those that say that it is a table."""
    core = list(words)
    while len(core) > 1 and core[0] in WRAPPERS:
        del core[0]
    while len(core) > 1 and core[-1] in WRAPPERS:
        del core[-1]
    return tuple(core)


def _shared_prefixes(names: Iterable[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
    """Return the beginnings that several tables have, and that are no table by themselves."""
    counts: Counter[tuple[str, ...]] = Counter()
    whole = set()
    for words in names:
        core = unwrapped(words)
        whole.add(core)
        counts.update(core[:end] for end in range(1, len(core)))
    return frozenset(prefix for prefix, count in counts.items() if count >= _SHARED and prefix not in whole)
