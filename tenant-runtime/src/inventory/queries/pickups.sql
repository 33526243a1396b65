-- $1 items, $2 pieces of each, $3 cart. Where shoppers may collect, and all of it lies: what the cart has reserved there is its own.
SELECT place.id, place.name, place.country, place.pickup_instructions, place.opening_hours, place.pickup_ready_hours
  FROM locations place
 WHERE place.pickup
   AND place.active
   AND place.bucket_of IS NULL
   AND NOT EXISTS (
       SELECT
         FROM unnest($1::uuid[], $2::bigint[]) AS wanted (item_id, quantity)
        WHERE wanted.quantity > coalesce((
              SELECT sum(greatest(level.on_hand - level.unavailable - level.committed - level.reserved - level.safety_stock, 0)
                         + coalesce((SELECT sum(own.quantity) FROM reservations own
                                      WHERE own.cart_id = $3 AND own.state = 'held'
                                        AND own.item_id = level.item_id AND own.location_id = level.location_id), 0))
                FROM inventory_levels level
                JOIN locations shelf ON shelf.id = level.location_id
               WHERE level.item_id = wanted.item_id AND coalesce(shelf.bucket_of, shelf.id) = place.id), 0))
 ORDER BY place.priority, place.id
 LIMIT 20
