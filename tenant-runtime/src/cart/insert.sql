WITH cart AS (
    INSERT INTO carts (id, secret_hash, state, currency, customer_id, email, note, shipping_address, billing_address,
                       discount_codes, market_id, created_at, updated_at, attributes, locale, terms, shipping_rate_id, vat_number)
    VALUES ($1, $2, 'active', $3, $4, $5, $6, $7, $8, $13, $14, $9, $9, $15, $16, $17, $18, $19)
)
INSERT INTO cart_lines (id, cart_id, variant_id, quantity, position, added_at)
SELECT line.id, $1, line.variant_id, line.quantity, line.number - 1, $9
  FROM unnest($10, $11, $12) WITH ORDINALITY AS line (id, variant_id, quantity, number)
