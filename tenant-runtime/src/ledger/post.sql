-- Books entries with their postings in one round trip. Accounts are opened on first use: `DO UPDATE` (not `DO NOTHING`) because two
-- first users may meet, and the loser must see the winner's row; an account that is there already is only read, never locked.
WITH wished AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[])
        AS w (id, fact, kind, description, order_id, at)
), booked AS (
    INSERT INTO journal_entries (id, fact, kind, description, order_id, at)
    SELECT id, fact, kind, description, order_id, at FROM wished
    ON CONFLICT (fact) DO NOTHING
    RETURNING id, fact
), lines AS (
    SELECT * FROM unnest($7::uuid[], $8::uuid[], $9::text[], $10::bigint[], $11::text[])
        AS l (id, entry_id, code, amount_minor, currency)
), chart AS (
    SELECT * FROM unnest($12::uuid[], $13::text[], $14::text[], $15::text[]) AS c (id, code, name, kind)
), opened AS (
    INSERT INTO ledger_accounts (id, code, name, kind)
    SELECT c.id, c.code, c.name, c.kind FROM chart c
    WHERE NOT EXISTS (SELECT FROM ledger_accounts a WHERE a.code = c.code)
    ON CONFLICT (code) DO UPDATE SET name = ledger_accounts.name
    RETURNING id, code
), accounts AS (
    SELECT id, code FROM opened
    UNION ALL
    SELECT a.id, a.code FROM ledger_accounts a JOIN chart c ON c.code = a.code
    WHERE NOT EXISTS (SELECT FROM opened o WHERE o.code = a.code)
), posted AS (
    INSERT INTO postings (id, entry_id, account_id, amount_minor, currency)
    SELECT l.id, l.entry_id, a.id, l.amount_minor, l.currency
    FROM lines l JOIN booked b ON b.id = l.entry_id LEFT JOIN accounts a ON a.code = l.code
)
SELECT fact FROM booked
