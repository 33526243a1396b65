-- $1 transfer, $2 state, $3 origin, $4 destination, $5 item, $6 the transfer to go on before, $7 limit; all but the last may be null.
SELECT t.id, t.origin_id, t.destination_id, t.state, t.reference, t.note, t.expected_at, t.sent_at, t.ended_at,
       coalesce((SELECT jsonb_agg(jsonb_build_object('item', l.item_id, 'variant', v.id, 'sku', coalesce(v.sku, i.sku),
               'quantity', l.quantity, 'received', l.received, 'lost', l.lost, 'returned', l.returned) ORDER BY l.item_id)
           FROM stock_transfer_lines l JOIN inventory_items i ON i.id = l.item_id
           LEFT JOIN product_variants v ON v.inventory_item_id = l.item_id
           WHERE l.transfer_id = t.id), '[]') AS lines,
       t.version, t.created_at, t.updated_at
FROM stock_transfers t
WHERE ($1::uuid IS NULL OR t.id = $1) AND ($2::text IS NULL OR t.state = $2) AND ($3::uuid IS NULL OR t.origin_id = $3)
  AND ($4::uuid IS NULL OR t.destination_id = $4)
  AND ($5::uuid IS NULL OR EXISTS (SELECT FROM stock_transfer_lines o WHERE o.transfer_id = t.id AND o.item_id = $5))
  AND ($6::uuid IS NULL OR t.id < $6)
ORDER BY t.id DESC
LIMIT $7
