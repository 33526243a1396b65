WITH provider AS (
    INSERT INTO payment_providers (code, title)
    SELECT p.code, p.title FROM jsonb_to_recordset($1 -> 'payment_providers') AS p (code text, title text)
)
INSERT INTO ledger_accounts (id, code, name, kind)
SELECT a.id, a.code, a.name, a.kind
FROM jsonb_to_recordset($1 -> 'ledger_accounts') AS a (id uuid, code text, name text, kind text)
