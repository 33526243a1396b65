-- $1 variants, $2 currencies, $3 amounts, $4 amounts before, $5 ids of new rows, $6 now. The products' rows are locked.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::uuid[])
               AS w (variant_id, currency, amount_minor, compare_at_minor, id)
), price AS (
    INSERT INTO prices (id, variant_id, currency, amount_minor, compare_at_minor, updated_at)
    SELECT id, variant_id, currency, amount_minor, compare_at_minor, $6 FROM wanted
    ON CONFLICT (variant_id, currency) DO UPDATE
    SET amount_minor = excluded.amount_minor, compare_at_minor = excluded.compare_at_minor, updated_at = excluded.updated_at
), history AS (
    INSERT INTO price_history (variant_id, currency, amount_minor, since) SELECT variant_id, currency, amount_minor, $6 FROM wanted
    ON CONFLICT (variant_id, currency, since) DO UPDATE SET amount_minor = excluded.amount_minor
)
UPDATE product_variants v SET version = version + 1, updated_at = $6 FROM wanted w WHERE v.id = w.variant_id
