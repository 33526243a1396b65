                                        ELSE (ts_rank(p.search_words, to_tsquery('simple', $1)) * 1000000)::bigint END AS place) AS found
     WHERE p.status = 'active'
       AND (p.search_words @@ to_tsquery('simple', $1) OR $2 = ANY (p.tags)
            OR p.id IN (SELECT v.product_id FROM product_variants v WHERE v.sku = upper($2) OR v.sku = $2 OR v.barcode = $2))
