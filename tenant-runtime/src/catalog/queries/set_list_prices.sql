-- $1 list, $2 variants, $3 steps, $4 amounts; none removes the step. $5 now.
WITH wanted AS (
    SELECT * FROM unnest($2::uuid[], $3::integer[], $4::bigint[]) AS w (variant_id, min_quantity, amount_minor)
), gone AS (
    DELETE FROM price_list_prices x USING wanted w
     WHERE x.list_id = $1 AND x.variant_id = w.variant_id AND x.min_quantity = w.min_quantity AND w.amount_minor IS NULL
), written AS (
    INSERT INTO price_list_prices (list_id, variant_id, min_quantity, amount_minor)
    SELECT $1, variant_id, min_quantity, amount_minor FROM wanted WHERE amount_minor IS NOT NULL
    ON CONFLICT (list_id, variant_id, min_quantity) DO UPDATE SET amount_minor = EXCLUDED.amount_minor
)
UPDATE price_lists SET version = version + 1, updated_at = $5 WHERE id = $1
