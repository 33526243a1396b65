-- $1 a product or a collection, as the next piece says. Judges products by the rules of collections, and keeps what follows. A rule about variants
-- is met when any variant meets it, and its opposite when none does.
WITH judged AS (
    SELECT c.id AS collection_id, p.id AS product_id,
           -- The newest first: seconds, backwards.
           -(extract(epoch FROM p.created_at - timestamptz '2020-01-01 00:00:00+00'))::integer AS position,
           (SELECT CASE WHEN c.match_any THEN bool_or(verdict.yes) ELSE bool_and(verdict.yes) END
            FROM jsonb_to_recordset(c.rules) AS r(field text, relation text, text text, amount jsonb, grams bigint)
            CROSS JOIN LATERAL (
                SELECT CASE r.field
                           WHEN 'title' THEN ARRAY[p.title]
                           WHEN 'vendor' THEN ARRAY[p.vendor]
                           WHEN 'product_type' THEN ARRAY[p.product_type]
                           WHEN 'tag' THEN p.tags
                           WHEN 'variant_title' THEN ARRAY(SELECT v.title FROM product_variants v WHERE v.product_id = p.id)
                           WHEN 'sku' THEN ARRAY(SELECT v.sku FROM product_variants v WHERE v.product_id = p.id AND v.sku IS NOT NULL)
                       END AS words,
                       CASE r.field
                           WHEN 'price' THEN ARRAY(
                               SELECT x.amount_minor FROM product_variants v JOIN prices x ON x.variant_id = v.id
                               WHERE v.product_id = p.id AND x.currency = r.amount ->> 'currency')
                           WHEN 'compare_at' THEN ARRAY(
                               SELECT x.compare_at_minor FROM product_variants v JOIN prices x ON x.variant_id = v.id
                               WHERE v.product_id = p.id AND x.compare_at_minor IS NOT NULL
                                 AND (r.amount IS NULL OR x.currency = r.amount ->> 'currency'))
                           WHEN 'weight' THEN ARRAY(SELECT v.weight_grams FROM product_variants v WHERE v.product_id = p.id)
                       END AS numbers,
                       lower(r.text) AS sought,
                       coalesce(r.grams, (r.amount ->> 'amount_minor')::bigint) AS bound,
                       replace(r.relation, 'not_', '') AS relation
            ) AS has
            CROSS JOIN LATERAL (
                SELECT (r.relation LIKE '%not\_%') <> CASE
                    WHEN has.words IS NOT NULL THEN EXISTS (
                        SELECT 1 FROM unnest(has.words) AS w(word)
                        WHERE CASE has.relation
                            WHEN 'equals' THEN lower(w.word) = has.sought
                            WHEN 'starts_with' THEN starts_with(lower(w.word), has.sought)
                            WHEN 'ends_with' THEN right(lower(w.word), length(has.sought)) = has.sought
                            WHEN 'contains' THEN strpos(lower(w.word), has.sought) > 0
                            WHEN 'is_set' THEN w.word <> ''
                        END)
                    ELSE EXISTS (
                        SELECT 1 FROM unnest(has.numbers) AS n(number)
                        WHERE CASE has.relation
                            WHEN 'equals' THEN n.number = has.bound
                            WHEN 'greater_than' THEN n.number > has.bound
                            WHEN 'less_than' THEN n.number < has.bound
                            WHEN 'is_set' THEN true
                        END)
                END AS yes
            ) AS verdict) AS fits
    FROM collections c CROSS JOIN products p
    WHERE c.rules IS NOT NULL
