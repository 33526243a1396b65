INSERT INTO order_events (id, order_id, kind, actor, details, at)
SELECT n.id, $1, n.kind, n.actor, n.details, n.at
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[]) AS n (id, kind, actor, details, at)
