  -- Where the last product of the page before stands now; if it left the collection, the list starts over rather than lose somebody.
  AND ($6::uuid IS NULL
       OR ((SELECT cp.position FROM collection_products cp JOIN collections c ON c.id = cp.collection_id
         WHERE cp.product_id = p.id AND (c.id = $3 OR c.handle = $4)), p.id)
        > (coalesce((SELECT cp.position FROM collection_products cp JOIN collections c ON c.id = cp.collection_id
         WHERE cp.product_id = $6 AND (c.id = $3 OR c.handle = $4)), -1), $6))
  AND ($7::timestamptz IS NULL OR true) AND ($8::text IS NULL OR true) AND ($9::bigint IS NULL OR true)
ORDER BY (SELECT cp.position FROM collection_products cp JOIN collections c ON c.id = cp.collection_id
         WHERE cp.product_id = p.id AND (c.id = $3 OR c.handle = $4)), p.id
LIMIT $10
