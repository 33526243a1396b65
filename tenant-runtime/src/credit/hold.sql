-- The accounts are locked by the statement before. $1 order, $2 accounts, $3 amounts, $4 actor, $5 now.
WITH wanted AS (
    SELECT * FROM unnest($2::uuid[], $3::bigint[]) AS w (account_id, amount_minor)
), taken AS (
    UPDATE credit_accounts a
       SET balance_minor = a.balance_minor - w.amount_minor, updated_at = $5
      FROM wanted w
     WHERE a.id = w.account_id
       AND a.balance_minor >= w.amount_minor
       AND NOT a.disabled
       AND (a.expires_at IS NULL OR a.expires_at > $5)
    RETURNING a.id, w.amount_minor
), entries AS (
    INSERT INTO credit_entries (id, account_id, kind, amount_minor, order_id, actor, at)
    SELECT uuidv7(), id, 'held', -amount_minor, $1, $4, $5 FROM taken
)
INSERT INTO order_credits (order_id, account_id, amount_minor, state)
SELECT $1, id, amount_minor, 'held' FROM taken
