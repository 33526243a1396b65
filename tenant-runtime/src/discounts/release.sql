WITH given_back AS (
    DELETE FROM discount_uses WHERE order_id = $1 RETURNING discount_id
)
UPDATE discounts SET used = used - 1 WHERE id IN (SELECT discount_id FROM given_back) AND used > 0
