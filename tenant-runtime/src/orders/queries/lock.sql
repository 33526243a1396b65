-- The order's row is locked; everything else here changes only under that lock.
SELECT o.id, o.cart_id, o.number, o.name, o.state, o.financial_status, o.fulfillment_status, o.email, o.currency, o.prices_include_tax,
       o.subtotal_minor, o.discount_minor, o.shipping_minor, o.total_minor, o.shipping_address, o.billing_address,
       (SELECT coalesce(sum(s.discount_minor), 0)::bigint FROM shipping_lines s WHERE s.order_id = o.id) AS shipping_discount_minor,
       (SELECT coalesce(sum(c.amount_minor), 0)::bigint FROM order_credits c WHERE c.order_id = o.id AND c.state IN ('held', 'spent')) AS credit_minor,
       (SELECT coalesce(sum(t.amount_minor), 0)::bigint FROM tax_lines t WHERE t.order_id = o.id AND t.order_line_id IS NOT NULL) AS goods_tax_minor,
       (SELECT coalesce(sum(t.amount_minor), 0)::bigint FROM tax_lines t WHERE t.order_id = o.id AND t.shipping_line_id IS NOT NULL)
           AS shipping_tax_minor,
       (SELECT s.title FROM shipping_lines s WHERE s.order_id = o.id LIMIT 1) AS shipping_title,
       coalesce((SELECT json_agg(json_build_object('item', l.inventory_item_id, 'location', l.location_id, 'title', l.title,
                    'variant_title', l.variant_title, 'sku', l.sku, 'quantity', l.quantity, 'unit_price_minor', l.unit_price_minor,
                    'total_minor', l.total_minor) ORDER BY l.position) FROM order_lines l WHERE l.order_id = o.id), '[]') AS lines
FROM orders o
WHERE o.id = coalesce($1, (SELECT s.order_id FROM payment_sessions s WHERE s.id = $2))
FOR UPDATE OF o
