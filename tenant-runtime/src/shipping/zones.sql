SELECT zone.id, zone.name, zone.profile_id, zone.countries, zone.provinces, zone.postal_codes, zone.rest_of_world,
       COALESCE((SELECT jsonb_agg(to_jsonb(rate) ORDER BY rate.position, rate.amount_minor, rate.id)
                   FROM shipping_rates rate WHERE rate.zone_id = zone.id), '[]') AS rates
  FROM shipping_zones zone
 WHERE $1 IS NULL OR zone.id = $1
 ORDER BY zone.rest_of_world, zone.name
 LIMIT 300
