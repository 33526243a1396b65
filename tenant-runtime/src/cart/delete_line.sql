WITH cart AS (
    UPDATE carts SET version = version + 1, state = 'active', completing_until = NULL, updated_at = $3 WHERE id = $1
)
DELETE FROM cart_lines WHERE cart_id = $1 AND id = $2
