-- $1 currency, $2 market or null, $3 how far back: when which lists were in force for everybody and for one piece, as they were then.
SELECT l.id AS list_id, l.priority, l.adjust_ppm, greatest(coalesce(l.terms_since, l.created_at), l.starts_at) AS since, l.ends_at AS until
FROM price_lists l
WHERE l.active AND l.min_quantity = 1 AND l.currency = $1 AND (l.market_id IS NULL OR l.market_id = $2) AND (l.ends_at IS NULL OR l.ends_at > $3)
  AND NOT EXISTS (SELECT FROM price_list_groups g WHERE g.list_id = l.id)
UNION ALL
SELECT h.list_id, h.priority, h.adjust_ppm, h.since, h.until FROM price_list_history h
WHERE h.currency = $1 AND (h.market_id IS NULL OR h.market_id = $2) AND h.until > $3
