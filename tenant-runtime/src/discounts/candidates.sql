-- $1 codes in capitals, $2 the customer's address as compared, $3 now, $4 the customer who is signed in. Automatic ones that run
-- now, and whatever a code names.
WITH wanted AS (
    SELECT c.discount_id AS id, c.code, c.code_key FROM discount_codes c WHERE c.code_key = ANY($1)
    UNION ALL
    (SELECT d.id, NULL, NULL FROM discounts d
      WHERE d.method = 'automatic' AND NOT d.paused AND d.starts_at <= $3 AND (d.ends_at IS NULL OR d.ends_at > $3)
      ORDER BY d.id LIMIT 25)
)
SELECT d.id, d.title, d.terms, d.minimum, d.combines, w.code, w.code_key, d.usage_limit, d.used, d.per_customer_limit, d.paused,
       d.starts_at, d.ends_at,
       CASE WHEN d.per_customer_limit IS NULL THEN 0
            ELSE (SELECT count(*) FROM discount_uses u WHERE u.discount_id = d.id AND u.customer_digest = customer_digest($2)) END AS used_by_customer,
       CASE WHEN NOT EXISTS (SELECT FROM discount_groups g WHERE g.discount_id = d.id) THEN 'admitted'
            WHEN $4::uuid IS NULL THEN 'unknown'
            WHEN EXISTS (SELECT FROM discount_groups g JOIN customer_group_members m ON m.group_id = g.group_id
                          WHERE g.discount_id = d.id AND m.customer_id = $4) THEN 'admitted'
            ELSE 'others' END AS audience
  FROM wanted w
  JOIN discounts d ON d.id = w.id
 ORDER BY d.id, w.code_key
