WITH named AS (
    SELECT id FROM shipping_zones WHERE $1 = ANY (countries)
), zone AS (
    SELECT id FROM named
    UNION ALL
    SELECT id FROM shipping_zones WHERE rest_of_world AND NOT EXISTS (SELECT FROM named)
)
SELECT rate.id, rate.name AS title, rate.amount_minor
  FROM shipping_rates rate
  JOIN zone ON zone.id = rate.zone_id
 WHERE rate.active
   AND rate.currency = $2
   AND (rate.min_total_minor IS NULL OR rate.min_total_minor <= $3)
   AND (rate.max_total_minor IS NULL OR rate.max_total_minor >= $3)
 ORDER BY rate.amount_minor, rate.position, rate.id
 LIMIT 100
