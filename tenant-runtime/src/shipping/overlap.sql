-- $1 the zone, $2 its countries, $3 whether it takes the rest of the world, $4 its provinces, $5 its postal codes, $6 its profile if it is new.
-- Postal codes of different lengths do not compete: the longer beginning wins.
SELECT ARRAY(SELECT unnest(zone.countries) INTERSECT SELECT unnest($2) ORDER BY 1) AS countries,
       ARRAY(SELECT unnest(zone.provinces) INTERSECT SELECT unnest($4) ORDER BY 1) || met.codes AS places
  FROM shipping_zones zone
 CROSS JOIN LATERAL (
     SELECT ARRAY(SELECT DISTINCT taken.span
                    FROM unnest(zone.postal_codes) AS taken (span), unnest($5) AS wanted (span)
                   WHERE split_part(taken.span, ':', 1) = split_part(wanted.span, ':', 1)
                     AND length(taken.span) = length(wanted.span)
                     AND split_part(taken.span, ':', 2) COLLATE "C" <= split_part(wanted.span, ':', 3)
                     AND split_part(wanted.span, ':', 2) COLLATE "C" <= split_part(taken.span, ':', 3)
                   ORDER BY 1) AS codes
 ) met
 WHERE zone.id <> $1
   AND zone.profile_id IS NOT DISTINCT FROM COALESCE($6, (SELECT own.profile_id FROM shipping_zones own WHERE own.id = $1))
   AND (zone.countries && $2 OR zone.provinces && $4 OR cardinality(met.codes) > 0 OR (zone.rest_of_world AND $3))
 LIMIT 1
