INSERT INTO shipping_rates (id, zone_id, name, currency, amount_minor, min_total_minor, max_total_minor, position, active,
                            min_weight_grams, max_weight_grams, per_piece_minor, per_kilogram_minor, free_from_minor, min_days, max_days)
SELECT $1, zone.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
  FROM shipping_zones zone
 WHERE zone.id = $2
