-- A new gift card, or more on a customer's store credit. $1 id, $2 kind, $3 hash, $4 last characters, $5 customer, $6 currency, $7 amount,
-- $8 expiry, $9 note, $10 actor, $11 now, $12 the entry's id.
WITH account AS (
    INSERT INTO credit_accounts (id, kind, code_hash, last_characters, customer_id, currency, balance_minor, expires_at, note, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11, $11)
    ON CONFLICT (customer_id, currency) DO UPDATE
       SET balance_minor = credit_accounts.balance_minor + EXCLUDED.balance_minor, updated_at = EXCLUDED.updated_at
    RETURNING id
), entry AS (
    INSERT INTO credit_entries (id, account_id, kind, amount_minor, actor, at)
    SELECT $12, id, CASE WHEN id = $1 THEN 'issued' ELSE 'added' END, $7, $10, $11 FROM account
)
SELECT id FROM account
