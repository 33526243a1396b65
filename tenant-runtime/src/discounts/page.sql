SELECT d.id, d.title, d.method, d.terms, d.minimum, d.combines, d.usage_limit, d.used, d.per_customer_limit, d.paused, d.starts_at,
       d.ends_at, d.version, d.created_at, d.updated_at,
       ARRAY(SELECT c.code FROM discount_codes c WHERE c.discount_id = d.id ORDER BY c.position) AS codes,
       ARRAY(SELECT g.group_id FROM discount_groups g WHERE g.discount_id = d.id ORDER BY g.group_id) AS customer_groups
  FROM discounts d
 WHERE ($1::uuid IS NULL OR d.id = $1)
   AND ($2::text IS NULL OR d.method = $2)
   AND ($3::text IS NULL OR d.title ILIKE '%' || $3 || '%'
        OR EXISTS (SELECT FROM discount_codes c WHERE c.discount_id = d.id AND c.code_key = upper($3)))
   AND ($4::text IS NULL OR $4 = CASE
            WHEN d.ends_at <= $5 THEN 'ended'
            WHEN d.paused THEN 'paused'
            WHEN d.starts_at > $5 THEN 'scheduled'
            WHEN d.used >= d.usage_limit THEN 'used_up'
            ELSE 'active' END)
   AND ($6::timestamptz IS NULL OR (d.created_at, d.id) < ($6, $7::uuid))
 ORDER BY d.created_at DESC, d.id DESC
 LIMIT $8
