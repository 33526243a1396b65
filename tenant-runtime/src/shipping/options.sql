-- $1 country, $2 currency, $3 merchandise total, $4 grams, $5 pieces, $6 province as zones keep it or null, $7 postal code.
WITH destination AS (
    SELECT upper(regexp_replace($7, '[^0-9A-Za-z]', '', 'g')) AS code
), fitting AS (
    -- Of postal codes the longer beginning is the more specific one; GREATEST passes over nulls.
    SELECT zone.id,
           GREATEST((SELECT max(2 + length(split_part(codes.span, ':', 2)))
                       FROM destination, unnest(zone.postal_codes) AS codes (span)
                      WHERE split_part(codes.span, ':', 1) = $1
                        AND length(code) >= length(split_part(codes.span, ':', 2))
                        AND left(code, length(split_part(codes.span, ':', 2))) COLLATE "C"
                            BETWEEN split_part(codes.span, ':', 2) AND split_part(codes.span, ':', 3)),
                    CASE WHEN $6 = ANY (zone.provinces) THEN 2 END,
                    CASE WHEN $1 = ANY (zone.countries) THEN 1 END,
                    CASE WHEN zone.rest_of_world THEN 0 END) AS rank
      FROM shipping_zones zone
), zone AS (
    SELECT id FROM fitting WHERE rank IS NOT NULL ORDER BY rank DESC, id LIMIT 1
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
