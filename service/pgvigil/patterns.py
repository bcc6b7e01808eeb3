"""Patterns over names: how settings and options say which schemas or subjects they mean."""

from __future__ import annotations

import re
from functools import lru_cache


def matches(name: str, pattern: str) -> bool:
    """Tell whether a name fits a pattern: `*` is any text, `?` any one character, all else itself.

    A bracket is a bracket, unlike in the shell: names of columns and tables may have some.
    """
    return _compiled(pattern).fullmatch(name) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    wildcards = {"*": ".*", "?": "."}
    text = "".join(wildcards.get(letter) or re.escape(letter) for letter in re.sub(r"\*+", "*", pattern))
    return re.compile(text, re.DOTALL)
