-- Judges the chosen products by the rules of the wanted collections and keeps what follows. A rule about variants is met when any variant meets
-- it, and its opposite when none does.
), rules AS MATERIALIZED (
    SELECT w.id AS collection_id, w.match_any, r.field, r.relation LIKE '%not\_%' AS opposite, replace(r.relation, 'not_', '') AS relation,
           lower(r.text) AS sought, coalesce(r.grams, (r.amount ->> 'amount_minor')::bigint) AS bound, r.amount ->> 'currency' AS currency
    FROM wanted w CROSS JOIN jsonb_to_recordset(w.rules) AS r(field text, relation text, text text, amount jsonb, grams bigint)
), verdicts AS (
    SELECT r.collection_id, r.match_any, p.id AS product_id, p.created_at, r.opposite <> CASE
        WHEN r.field IN ('title', 'vendor', 'product_type') THEN (
            SELECT CASE r.relation
                WHEN 'equals' THEN said.word = r.sought
                WHEN 'starts_with' THEN starts_with(said.word, r.sought)
                WHEN 'ends_with' THEN right(said.word, length(r.sought)) = r.sought
                WHEN 'contains' THEN strpos(said.word, r.sought) > 0
                ELSE said.word <> ''
            END
            FROM (SELECT lower(CASE r.field WHEN 'title' THEN p.title WHEN 'vendor' THEN p.vendor ELSE p.product_type END) AS word) AS said)
        WHEN r.field IN ('tag', 'variant_title', 'sku') THEN EXISTS (
            SELECT 1 FROM (
                SELECT lower(t.tag) AS word FROM unnest(p.tags) AS t(tag) WHERE r.field = 'tag'
                UNION ALL
                SELECT lower(CASE r.field WHEN 'sku' THEN v.sku ELSE v.title END) FROM product_variants v
                WHERE r.field <> 'tag' AND v.product_id = p.id) AS said
            WHERE CASE r.relation
                WHEN 'equals' THEN said.word = r.sought
                WHEN 'starts_with' THEN starts_with(said.word, r.sought)
                WHEN 'ends_with' THEN right(said.word, length(r.sought)) = r.sought
                WHEN 'contains' THEN strpos(said.word, r.sought) > 0
                ELSE said.word <> ''
            END)
        ELSE EXISTS (
            SELECT 1 FROM (
                SELECT v.weight_grams AS number FROM product_variants v WHERE r.field = 'weight' AND v.product_id = p.id
                UNION ALL
                SELECT CASE r.field WHEN 'price' THEN x.amount_minor ELSE x.compare_at_minor END
                FROM product_variants v JOIN prices x ON x.variant_id = v.id
                WHERE r.field <> 'weight' AND v.product_id = p.id AND (r.currency IS NULL OR x.currency = r.currency)) AS said
            WHERE CASE r.relation
                WHEN 'equals' THEN said.number = r.bound
                WHEN 'greater_than' THEN said.number > r.bound
                WHEN 'less_than' THEN said.number < r.bound
                ELSE said.number IS NOT NULL
            END)
        END AS yes
    FROM rules r CROSS JOIN chosen p
), judged AS MATERIALIZED (
    SELECT v.collection_id, v.product_id,
           -- The newest first: seconds, backwards.
           -(extract(epoch FROM v.created_at - timestamptz '2020-01-01 00:00:00+00'))::integer AS position,
           CASE WHEN v.match_any THEN bool_or(v.yes) ELSE bool_and(v.yes) END AS fits
    FROM verdicts v GROUP BY v.collection_id, v.product_id, v.match_any, v.created_at
), gone AS (
    DELETE FROM collection_products cp USING judged j
    WHERE cp.collection_id = j.collection_id AND cp.product_id = j.product_id AND NOT j.fits
), kept AS (
    INSERT INTO collection_products (collection_id, product_id, position)
    SELECT j.collection_id, j.product_id, j.position FROM judged j WHERE j.fits
    ON CONFLICT (collection_id, product_id) DO NOTHING
)
SELECT p.id AS product_id FROM chosen p ORDER BY p.id DESC LIMIT 1
