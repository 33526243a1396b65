-- $1 id or null, $2 handle or null, $3 whether a shopper looks, $4 on which channel or null. A former handle counts too, after those of today.
WHERE p.id = coalesce($1::uuid, (SELECT h.id FROM products h WHERE h.handle = $2),
                      (SELECT r.product_id FROM product_redirects r WHERE r.handle = $2))
  AND (NOT $3 OR (p.status = 'active' AND EXISTS (SELECT 1 FROM product_publications x WHERE x.product_id = p.id AND x.visible AND x.channel_id =
      coalesce($4::uuid, (SELECT c.id FROM sales_channels c WHERE c.is_default)))))
