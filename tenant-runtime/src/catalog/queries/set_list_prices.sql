-- $1 list, $2 variants, $3 steps, $4 amounts; none removes the step. $5 now. What it said of one piece is noted.
WITH wanted AS (
    SELECT * FROM unnest($2::uuid[], $3::integer[], $4::bigint[]) AS w (variant_id, min_quantity, amount_minor)
), kept AS (
    INSERT INTO price_list_price_history (list_id, variant_id, since, until, amount_minor)
    SELECT x.list_id, x.variant_id, coalesce(x.since, l.created_at), $5, x.amount_minor
    FROM wanted w JOIN price_list_prices x ON x.list_id = $1 AND x.variant_id = w.variant_id AND x.min_quantity = w.min_quantity
    JOIN price_lists l ON l.id = x.list_id
    WHERE x.min_quantity = 1 AND x.amount_minor IS DISTINCT FROM w.amount_minor AND coalesce(x.since, l.created_at) < $5
    ON CONFLICT DO NOTHING
), gone AS (
    DELETE FROM price_list_prices x USING wanted w
     WHERE x.list_id = $1 AND x.variant_id = w.variant_id AND x.min_quantity = w.min_quantity AND w.amount_minor IS NULL
), written AS (
    INSERT INTO price_list_prices AS x (list_id, variant_id, min_quantity, amount_minor, since)
    SELECT $1, variant_id, min_quantity, amount_minor, $5 FROM wanted WHERE amount_minor IS NOT NULL
    ON CONFLICT (list_id, variant_id, min_quantity) DO UPDATE
       SET amount_minor = EXCLUDED.amount_minor, since = CASE WHEN x.amount_minor = EXCLUDED.amount_minor THEN x.since ELSE EXCLUDED.since END
)
UPDATE price_lists SET version = version + 1, updated_at = $5 WHERE id = $1
