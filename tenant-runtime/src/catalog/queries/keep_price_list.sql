-- $1 list, $2 now, $3 whether its prices end too: notes what it said until now. The list is locked.
WITH list AS (
    SELECT l.id, l.currency, l.market_id, l.adjust_ppm, l.priority, l.created_at, greatest(coalesce(l.terms_since, l.created_at), l.starts_at) AS since,
           least(l.ends_at, $2) AS until, l.active AND l.min_quantity = 1 AND NOT EXISTS (SELECT FROM price_list_groups g WHERE g.list_id = l.id) AS for_everybody
    FROM price_lists l WHERE l.id = $1
), prices AS (
    INSERT INTO price_list_price_history (list_id, variant_id, since, until, amount_minor)
    SELECT x.list_id, x.variant_id, coalesce(x.since, l.created_at), $2, x.amount_minor
    FROM list l JOIN price_list_prices x ON x.list_id = l.id AND x.min_quantity = 1
    WHERE $3 AND coalesce(x.since, l.created_at) < $2
    ON CONFLICT DO NOTHING
)
INSERT INTO price_list_history (list_id, since, until, currency, market_id, adjust_ppm, priority)
SELECT l.id, l.since, l.until, l.currency, l.market_id, l.adjust_ppm, l.priority FROM list l WHERE l.for_everybody AND l.since < l.until
ON CONFLICT DO NOTHING
