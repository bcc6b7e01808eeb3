"""Positions in the WAL, as numbers of bytes."""

from __future__ import annotations


def last_record_end(written: int, page: int, segment: int) -> int:
    """Return where the last record before an insert position ends.

    At the beginning of a page nothing but the page's header stands between the two. `page` and `segment` are
    the server's sizes of these.
    """
    header = 40 if written % segment < page else 24
    return written - header if written % page == header else written
