-- $1 item.
SELECT i.id, coalesce(v.sku, i.sku) AS sku, v.id AS variant_id, coalesce(v.inventory_policy = 'continue', false) AS backorders,
       i.backorder_limit, i.safety_stock, i.low_stock_threshold, i.buckets,
       coalesce((SELECT sum(l.on_hand) FROM inventory_levels l WHERE l.item_id = i.id), 0)::bigint AS on_hand,
       coalesce((SELECT sum(t.quantity - t.received - t.lost - t.returned) FROM stock_transfer_lines t
           JOIN stock_transfers w ON w.id = t.transfer_id AND w.state IN ('in_transit', 'partly_received')
           WHERE t.item_id = i.id), 0)::bigint AS incoming,
       i.version
FROM inventory_items i LEFT JOIN product_variants v ON v.inventory_item_id = i.id
WHERE i.id = $1
