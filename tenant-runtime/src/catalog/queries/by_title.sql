  AND ($6::uuid IS NULL OR (p.title, p.id) > ($8::text, $6)) AND ($7::timestamptz IS NULL OR true) AND ($9::bigint IS NULL OR true)
ORDER BY p.title, p.id
LIMIT $10
