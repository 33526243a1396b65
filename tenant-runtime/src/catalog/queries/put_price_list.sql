-- A list, new or written anew, and the groups it is only for.
WITH written AS (
    INSERT INTO price_lists (id, name, currency, market_id, kind, adjust_ppm, min_quantity, priority, active, starts_at, ends_at, created_at, updated_at, terms_since)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $12)
    ON CONFLICT (id) DO UPDATE
       SET name = EXCLUDED.name, currency = EXCLUDED.currency, market_id = EXCLUDED.market_id, kind = EXCLUDED.kind,
           adjust_ppm = EXCLUDED.adjust_ppm, min_quantity = EXCLUDED.min_quantity, priority = EXCLUDED.priority, active = EXCLUDED.active,
           starts_at = EXCLUDED.starts_at, ends_at = EXCLUDED.ends_at, version = price_lists.version + 1, updated_at = EXCLUDED.updated_at, terms_since = EXCLUDED.terms_since
    RETURNING id
), left_out AS (
    DELETE FROM price_list_groups g USING written WHERE g.list_id = written.id AND g.group_id <> ALL ($13::uuid[])
)
INSERT INTO price_list_groups (list_id, group_id)
SELECT DISTINCT written.id, wanted.id FROM written, unnest($13::uuid[]) AS wanted (id)
ON CONFLICT DO NOTHING
