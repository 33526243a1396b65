WITH cart AS (
    UPDATE carts SET version = version + 1, state = 'active', completing_until = NULL, updated_at = $6 WHERE id = $1
)
INSERT INTO cart_lines (id, cart_id, variant_id, quantity, position, added_at)
VALUES ($2, $1, $3, $4, $5, $6)
ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = EXCLUDED.quantity
