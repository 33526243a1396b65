-- The accounts are locked by the statement before. $1 order, $2 actor, $3 now. Gives what had been spent, not only held.
WITH marked AS (
    UPDATE order_credits
       SET state = CASE state WHEN 'held' THEN 'released' ELSE 'returned' END
     WHERE order_id = $1
       AND state IN ('held', 'spent')
    RETURNING account_id, amount_minor, state
), accounts AS (
    UPDATE credit_accounts a
       SET balance_minor = a.balance_minor + m.amount_minor, updated_at = $3
      FROM marked m
     WHERE a.id = m.account_id
), entries AS (
    INSERT INTO credit_entries (id, account_id, kind, amount_minor, order_id, actor, at)
    SELECT uuidv7(), account_id, state, amount_minor, $1, $2, $3 FROM marked
)
SELECT COALESCE(sum(amount_minor) FILTER (WHERE state = 'returned'), 0)::bigint AS amount_minor FROM marked
