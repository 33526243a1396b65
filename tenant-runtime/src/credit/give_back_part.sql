-- The accounts are locked by the statement before. $1 order, $2 how much of what was spent, $3 actor, $4 now. In the order of ids, each account
-- as much as the order took of it. Gives how much there was.
WITH spent AS (
    SELECT account_id, amount_minor - returned_minor AS left_minor,
           (sum(amount_minor - returned_minor) OVER (ORDER BY account_id))::bigint - (amount_minor - returned_minor) AS before_minor
    FROM order_credits WHERE order_id = $1 AND state = 'spent'
), shares AS (
    SELECT account_id, least(left_minor, $2::bigint - before_minor) AS share_minor
    FROM spent WHERE left_minor > 0 AND before_minor < $2::bigint
), marked AS (
    UPDATE order_credits c SET returned_minor = c.returned_minor + s.share_minor
    FROM shares s WHERE c.order_id = $1 AND c.account_id = s.account_id
    RETURNING c.account_id, s.share_minor
), accounts AS (
    UPDATE credit_accounts a SET balance_minor = a.balance_minor + m.share_minor, updated_at = $4
    FROM marked m WHERE a.id = m.account_id
), entries AS (
    INSERT INTO credit_entries (id, account_id, kind, amount_minor, order_id, actor, at)
    SELECT uuidv7(), account_id, 'returned', share_minor, $1, $3, $4 FROM marked
)
SELECT coalesce(sum(share_minor), 0)::bigint AS amount_minor FROM marked
