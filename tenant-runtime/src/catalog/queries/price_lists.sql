SELECT l.id, l.name, l.currency, l.market_id, l.kind, l.adjust_ppm, l.min_quantity, l.priority, l.active, l.starts_at, l.ends_at, l.version,
       l.created_at, l.updated_at, (SELECT count(*) FROM price_list_prices x WHERE x.list_id = l.id) AS price_count,
       ARRAY(SELECT g.group_id FROM price_list_groups g WHERE g.list_id = l.id ORDER BY g.group_id) AS customer_groups
  FROM price_lists l
 WHERE ($1::uuid IS NULL OR l.id = $1)
   AND ($2::timestamptz IS NULL OR (l.created_at, l.id) < ($2, $3::uuid))
 ORDER BY l.created_at DESC, l.id DESC
 LIMIT $4
