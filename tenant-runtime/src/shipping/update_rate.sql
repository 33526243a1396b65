UPDATE shipping_rates
   SET name = $3, currency = $4, amount_minor = $5, min_total_minor = $6, max_total_minor = $7, position = $8, active = $9
 WHERE id = $1
   AND zone_id = $2
