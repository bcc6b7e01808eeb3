-- billing: money. Account numbers are numeric because the bank's are longer than a bigint allows.
CREATE SCHEMA billing;
COMMENT ON SCHEMA billing IS 'Accounts, invoices, payments';

CREATE TYPE billing.plan_code AS ENUM ('free', 'basic', 'plus', 'studio', 'enterprise');

CREATE TABLE billing.accounts (
    account_no numeric(20, 0) PRIMARY KEY,
    player_id uuid NOT NULL,
    opened_on date NOT NULL
);

CREATE TABLE billing.plans (
    code billing.plan_code PRIMARY KEY,
    monthly numeric(8, 2) NOT NULL
);

CREATE TABLE billing.invoices (
    id bigint PRIMARY KEY,
    account_no numeric(20, 0) NOT NULL,
    currency char(3) NOT NULL,
    net numeric(12, 2) NOT NULL,
    tax numeric(12, 2) NOT NULL,
    gross numeric(12, 2) GENERATED ALWAYS AS (net + tax) STORED,
    issued_on date NOT NULL
);

CREATE TABLE billing.invoice_lines (
    invoice_id bigint NOT NULL,
    line_no smallint NOT NULL,
    text text NOT NULL,
    amount numeric(12, 2) NOT NULL,
    PRIMARY KEY (invoice_id, line_no)
);

-- A refund without a line is of the whole invoice.
CREATE TABLE billing.refunds (
    id bigint PRIMARY KEY,
    invoice_id bigint NOT NULL,
    line_no smallint,
    amount numeric(12, 2) NOT NULL
);

CREATE TABLE billing.subscriptions (
    id bigint PRIMARY KEY,
    account_no numeric(20, 0) NOT NULL,
    plan billing.plan_code NOT NULL,
    active daterange NOT NULL
);

CREATE TABLE billing.payments (
    id uuid PRIMARY KEY,
    invoice_id bigint NOT NULL,
    paid_at timestamptz NOT NULL,
    provider text NOT NULL
);

CREATE TABLE billing.ledger_entries (
    id bigint PRIMARY KEY,
    account_no numeric(20, 0) NOT NULL,
    debit numeric(14, 2) NOT NULL,
    credit numeric(14, 2) NOT NULL,
    CHECK (debit = 0 OR credit = 0)
);
