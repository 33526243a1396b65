  AND ($6::uuid IS NULL OR (coalesce(price.lowest, 9223372036854775807), p.id) > ($9::bigint, $6))
  AND ($7::timestamptz IS NULL OR true) AND ($8::text IS NULL OR true)
ORDER BY coalesce(price.lowest, 9223372036854775807), p.id
LIMIT $10
