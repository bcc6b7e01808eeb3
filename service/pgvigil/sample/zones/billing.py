"""Rows of `billing`."""

from __future__ import annotations

from pgvigil.sample.dice import scattered
from pgvigil.sample.table import Table
from pgvigil.sample.vocabulary import CURRENCIES, PLANS
from pgvigil.sample.world import ACCOUNTS, INVOICES, account_no

TABLES = (
    Table(
        "billing.accounts",
        "account_no, player_id, opened_on",
        ACCOUNTS,
        lambda w, d, i: (account_no(i), w.player_uuid(i), d.day()),
    ),
    Table(
        "billing.plans",
        "code, monthly",
        len(PLANS),
        lambda w, d, i: (PLANS[i - 1], f"{5 * (i - 1)}.00"),
        grows=False,
    ),
    Table(
        "billing.invoices",
        "id, account_no, currency, net, tax, issued_on",
        INVOICES,
        lambda w, d, i: (
            i,
            account_no(d.skewed(w.accounts)),
            d.pick(CURRENCIES),
            d.cents(99, 90_000),
            d.cents(0, 9_000),
            d.day(),
        ),
    ),
    Table(
        "billing.invoice_lines",
        "invoice_id, line_no, text, amount",
        2 * INVOICES,
        lambda w, d, i: (1 + (i - 1) // 2, 1 + (i - 1) % 2, d.pick(PLANS), d.cents(99, 45_000)),
    ),
    Table(
        "billing.refunds",
        "id, invoice_id, line_no, amount",
        90,
        lambda w, d, i: (
            i,
            d.between(1, w.invoices),
            d.pick((1, 2, None)),
            d.cents(99, 45_000),
        ),
    ),
    Table(
        "billing.subscriptions",
        "id, account_no, plan, active",
        450,
        lambda w, d, i: (i, account_no(i), PLANS[d.skewed(len(PLANS)) - 1], f"[{d.day()},)"),
    ),
    Table(
        "billing.payments",
        "id, invoice_id, paid_at, provider",
        INVOICES,
        lambda w, d, i: (scattered(w.seed, "payment", i), i, d.moment(), d.pick(("card", "paypal", "sepa"))),
    ),
    Table(
        "billing.ledger_entries",
        "id, account_no, debit, credit",
        1_500,
        lambda w, d, i: (
            i,
            account_no(d.skewed(w.accounts)),
            d.cents(1, 90_000) if i % 2 else "0.00",
            "0.00" if i % 2 else d.cents(1, 90_000),
        ),
    ),
)
