"""Puts the page together: its figures, its styles and script, and the policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pgvigil import __version__
from pgvigil.audit import words
from pgvigil.audit.html.picture import Edge, Picture, picture
from pgvigil.audit.model import Audit, IndexFault, Origin
from pgvigil.catalog import TableName, quote
from pgvigil.check import Severity
from pgvigil.inference import as_percent

_SCRIPTS = ("scripts/tables.js", "scripts/neighbours.js", "scripts/map.js")


def render(audit: Audit) -> str:
    """Return the page. It is the same for the same audit."""
    drawn = picture(audit)
    style, script = _resource("report.css"), Markup().join(map(_resource, _SCRIPTS))
    return (
        _environment()
        .get_template("report.html")
        .render(
            audit=audit,
            picture=drawn,
            # What is broken lies on top.
            ordered=sorted(drawn.edges, key=lambda edge: edge.relation.broken is not None),
            ids={node.name: node.id for node in drawn.nodes},
            relations_of=_relations_of(drawn),
            broken=[edge for edge in drawn.edges if edge.relation.broken is not None],
            proposed=[edge for edge in drawn.edges if edge.relation.origin is Origin.INFERRED],
            faults=[(fault, [note for note in audit.indexes if note.fault is fault]) for fault in IndexFault],
            style=style,
            script=script,
            policy=_policy(style, script),
            tone=_tone(audit),
            version=__version__,
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pgvigil.audit.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (words.seen, words.number, words.size, words.moment, words.at_risk)
    environment.filters |= {each.__name__: each for each in filters}
    environment.globals |= {
        "certainty": words.certainty,
        "since": words.since,
        "as_percent": as_percent,
        "quote": quote,
    }
    return environment


def _resource(name: str) -> Markup:
    text = (files("pgvigil.audit.html") / name).read_text(encoding="utf-8")
    # Style and script go into the page as they are: nothing of a database is in them.
    return Markup(text)  # noqa: S704 -- a file of this package, no input


def _policy(style: str, script: str) -> str:
    """Return the content security policy: this style and this script, by their hashes, and nothing else."""
    return (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _relations_of(drawn: Picture) -> dict[TableName, list[Edge]]:
    """Return the relations by the tables at both of their ends, once each."""
    found: defaultdict[TableName, list[Edge]] = defaultdict(list)
    for edge in drawn.edges:
        for end in dict.fromkeys((edge.relation.relation.child, edge.relation.relation.parent)):
            found[end].append(edge)
    return found


def _tone(audit: Audit) -> str:
    """Return the headline's colour: the worst of what is broken.

    Green is none of them: an audit does not prove that all is well.
    """
    impacts = [one.impact or Severity.WARNING for one in audit.relations if one.broken is not None]
    if impacts:
        return str(max(impacts, key=lambda impact: impact.rank))
    return "unknown" if audit.unknown else "attended"
