  AND ($6::uuid IS NULL OR (p.created_at, p.id) < ($7::timestamptz, $6)) AND ($8::text IS NULL OR true) AND ($9::bigint IS NULL OR true)
ORDER BY p.created_at DESC, p.id DESC
LIMIT $10
