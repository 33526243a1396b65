-- A discount, its codes and the groups it is only for, new or written anew. What has been used stays.
WITH written AS (
    INSERT INTO discounts (id, title, method, kind, terms, minimum, combines, usage_limit, per_customer_limit, paused, starts_at, ends_at,
                           created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
    ON CONFLICT (id) DO UPDATE
       SET title = EXCLUDED.title, method = EXCLUDED.method, kind = EXCLUDED.kind, terms = EXCLUDED.terms, minimum = EXCLUDED.minimum,
           combines = EXCLUDED.combines, usage_limit = EXCLUDED.usage_limit, per_customer_limit = EXCLUDED.per_customer_limit,
           paused = EXCLUDED.paused, starts_at = EXCLUDED.starts_at, ends_at = EXCLUDED.ends_at,
           version = discounts.version + 1, updated_at = EXCLUDED.updated_at
    RETURNING id
), left_out AS (
    DELETE FROM discount_groups g USING written WHERE g.discount_id = written.id AND g.group_id <> ALL ($15::uuid[])
), named AS (
    INSERT INTO discount_groups (discount_id, group_id)
    SELECT DISTINCT written.id, wanted.id FROM written, unnest($15::uuid[]) AS wanted (id)
    ON CONFLICT DO NOTHING
)
INSERT INTO discount_codes (code_key, code, discount_id, position)
SELECT upper(c.code), c.code, written.id, c.number
  FROM written, unnest($14::text[]) WITH ORDINALITY AS c (code, number)
