-- The number is taken last of all and held to the end of the transaction, so numbers have no gaps.
WITH counter AS (
    UPDATE store_settings SET next_order_number = next_order_number + 1
    RETURNING next_order_number - 1 AS number, order_prefix
)
UPDATE orders o
SET state = $2, financial_status = $3, number = c.number, name = c.order_prefix || c.number,
    placed_at = $4, cancelled_at = CASE WHEN $5::text IS NULL THEN NULL ELSE $4 END, cancel_reason = $5,
    version = o.version + 1, updated_at = $4
FROM counter c
WHERE o.id = $1 AND o.state = 'pending_payment'
RETURNING o.number, o.name, o.customer_id
