-- Double-entry books. A journal entry and the fact it books are one transaction; every entry adds up to zero per currency.

CREATE TABLE ledger_accounts (
    id   uuid PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('asset', 'liability', 'equity', 'revenue', 'expense'))
);

-- `fact` is the business fact booked, e.g. `capture:<transaction id>`: booking it twice is refused.
CREATE TABLE journal_entries (
    id          uuid PRIMARY KEY,
    fact        text NOT NULL UNIQUE,
    kind        text NOT NULL,
    description text NOT NULL,
    order_id    uuid,
    at          timestamptz NOT NULL
);
CREATE INDEX journal_entries_at ON journal_entries (at, id);

-- Signed: debits positive, credits negative.
CREATE TABLE postings (
    id           uuid PRIMARY KEY,
    entry_id     uuid NOT NULL REFERENCES journal_entries,
    account_id   uuid NOT NULL REFERENCES ledger_accounts,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    currency     text NOT NULL
);
CREATE INDEX postings_entry ON postings (entry_id);
CREATE INDEX postings_account ON postings (account_id, currency);

CREATE CONSTRAINT TRIGGER postings_balanced AFTER INSERT ON postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION platform.check_journal_balanced();

REVOKE UPDATE, DELETE, TRUNCATE ON journal_entries, postings FROM :role;
