-- $1 variant, $2 currency, $3 amount, $4 amount before, $5 now, $6 id of a new row. The product's row is locked.
WITH price AS (
    INSERT INTO prices (id, variant_id, currency, amount_minor, compare_at_minor, updated_at) VALUES ($6, $1, $2, $3, $4, $5)
    ON CONFLICT (variant_id, currency) DO UPDATE
    SET amount_minor = excluded.amount_minor, compare_at_minor = excluded.compare_at_minor, updated_at = excluded.updated_at
), history AS (
    INSERT INTO price_history (variant_id, currency, amount_minor, since) VALUES ($1, $2, $3, $5)
    ON CONFLICT (variant_id, currency, since) DO UPDATE SET amount_minor = excluded.amount_minor
)
UPDATE product_variants SET version = version + 1, updated_at = $5 WHERE id = $1
