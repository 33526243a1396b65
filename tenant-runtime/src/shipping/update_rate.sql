UPDATE shipping_rates
   SET name = $3, currency = $4, amount_minor = $5, min_total_minor = $6, max_total_minor = $7, position = $8, active = $9,
       min_weight_grams = $10, max_weight_grams = $11, per_piece_minor = $12, per_kilogram_minor = $13, free_from_minor = $14,
       min_days = $15, max_days = $16
 WHERE id = $1
   AND zone_id = $2
