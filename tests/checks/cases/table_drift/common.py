"""What the cases of `table_drift` are made of."""

from __future__ import annotations

PAIR = "public.l <> public.r"


def pair(**settings: object) -> dict[str, object]:
    return {"pairs": [{"left": "public.l", "right": "public.r", **settings}]}
