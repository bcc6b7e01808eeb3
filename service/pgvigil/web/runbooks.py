"""The runbooks: what to do about each alert, shipped with the program that raises it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
# The end of a sentence, but not within code: `changes: logical`.
_END = re.compile(r"(?<=[.:]) (?=(?:[^`]*`[^`]*`)*[^`]*$)")
# Beside this module when it is installed; in a checkout where they are written.
_FOLDERS = (Path(__file__).with_name("runbooks"), Path(__file__).parents[3] / "docs" / "runbooks")


@cache
def names() -> tuple[str, ...]:
    """Return the alerts that there is a runbook for."""
    return tuple(sorted(page.stem for page in _folder().glob("Pgvigil*.md")))


@cache
def html(name: str) -> str | None:
    """Return the runbook of an alert as HTML, None when there is none."""
    if name not in names():
        return None
    # Its own text is trusted; raw HTML is not rendered all the same.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    text = (_folder() / f"{name}.md").read_text(encoding="utf-8")
    return str(markdown.render(_LINK.sub(_lead, text)))


@cache
def meaning(name: str) -> str:
    """Return the first sentence of what an alert means, as plain text."""
    text = (_folder() / f"{name}.md").read_text(encoding="utf-8").partition("## Meaning\n")[2]
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    sentence = _END.split(_LINK.sub(r"\1", paragraph))[0]
    return sentence.replace("`", "").rstrip(".:") + "."


def _lead(link: re.Match[str]) -> str:
    """Let a link lead to another runbook or out into the world; the other documents are not served here."""
    text, target = link.groups()
    if "://" in target:
        return link[0]
    name, _, anchor = target.partition("#")
    page = name.removesuffix(".md")
    return f"[{text}](/runbooks/{page})" if page in names() else f"[{text}](#{anchor})" if not name else text


def _folder() -> Path:
    return next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])
