-- $1 variants, $2 currency, $3 how far back: the base prices of each, the one in force then included, and what lists of fixed prices said of one
-- piece.
SELECT v.id AS variant_id,
       coalesce((SELECT json_agg(json_build_object('since', h.since, 'minor', h.amount_minor) ORDER BY h.since) FROM price_history h
           WHERE h.variant_id = v.id AND h.currency = $2 AND h.since >= coalesce((SELECT max(o.since) FROM price_history o
               WHERE o.variant_id = v.id AND o.currency = $2 AND o.since <= $3), $3)), '[]') AS bases,
       coalesce((SELECT json_agg(json_build_object('list', x.list_id, 'minor', x.amount_minor, 'since', x.since, 'until', x.until)) FROM (
           SELECT p.list_id, p.amount_minor, coalesce(p.since, l.created_at) AS since, NULL::timestamptz AS until
           FROM price_list_prices p JOIN price_lists l ON l.id = p.list_id
           WHERE p.variant_id = v.id AND p.min_quantity = 1 AND l.currency = $2
           UNION ALL
           SELECT h.list_id, h.amount_minor, h.since, h.until FROM price_list_price_history h WHERE h.variant_id = v.id AND h.until > $3
       ) AS x), '[]') AS listed
FROM unnest($1::uuid[]) AS v (id)
