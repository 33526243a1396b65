INSERT INTO shipping_rates (id, zone_id, name, currency, amount_minor, min_total_minor, max_total_minor, position, active)
SELECT $1, zone.id, $3, $4, $5, $6, $7, $8, $9
  FROM shipping_zones zone
 WHERE zone.id = $2
