-- $1 country, $2 currency, $3 merchandise total, $4 grams, $5 pieces.
WITH named AS (
    SELECT id FROM shipping_zones WHERE $1 = ANY (countries)
), zone AS (
    SELECT id FROM named
    UNION ALL
    SELECT id FROM shipping_zones WHERE rest_of_world AND NOT EXISTS (SELECT FROM named)
)
SELECT rate.id, rate.name AS title, rate.min_days, rate.max_days,
       CASE WHEN rate.free_from_minor <= $3 THEN 0
            ELSE rate.amount_minor + rate.per_piece_minor * $5 + rate.per_kilogram_minor * (($4 + 999) / 1000) END AS amount_minor
  FROM shipping_rates rate
  JOIN zone ON zone.id = rate.zone_id
 WHERE rate.active
   AND rate.currency = $2
   AND (rate.min_total_minor IS NULL OR rate.min_total_minor <= $3)
   AND (rate.max_total_minor IS NULL OR rate.max_total_minor >= $3)
   AND (rate.min_weight_grams IS NULL OR rate.min_weight_grams <= $4)
   AND (rate.max_weight_grams IS NULL OR rate.max_weight_grams >= $4)
 ORDER BY amount_minor, rate.position, rate.id
 LIMIT 100
