"""The targets that questions and words name: of one that there is not, nothing is the wrong answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Depends, HTTPException, Request

from pgvigil.store import Filter, Store
from pgvigil.web.control import Control


def require_target(target: str, names: Sequence[str]) -> None:
    """Refuse the name of a target that is not among these."""
    if target not in names:
        raise HTTPException(404, f"there is no target {target}, only {', '.join(names)}")


def watched(store: Store, control: Control) -> Any:
    """Make what lets a list be narrowed to a target only when that is watched."""
    return Depends(_narrowing(control, lambda name: name in store.view().targets))


def remembered(store: Store, control: Control) -> Any:
    """Make what lets a list be narrowed to a target only when that is watched, or has a history here."""

    def has_a_history(name: str) -> bool:
        one = Filter(target=name, limit=1)
        return name in store.view().targets or bool(store.incidents(one) or store.runs(one))

    return Depends(_narrowing(control, has_a_history))


def _narrowing(control: Control, known: Callable[[str], bool]) -> Callable[[Request], None]:
    def narrowed(request: Request) -> None:
        name, names = request.query_params.get("target"), control.targets()
        if name is not None and name not in names and not known(name):
            require_target(name, names)

    return narrowed
