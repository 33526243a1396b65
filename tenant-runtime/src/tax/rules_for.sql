SELECT rate.name, concat_ws('-', region.country, region.province) AS jurisdiction, rate.rate_ppm, rate.reason
  FROM tax_regions region
  JOIN tax_rates rate ON rate.region_id = region.id
 WHERE region.country = $1
   AND (region.province IS NULL OR upper(region.province) = upper($2))
   AND rate.valid_from <= $3
   AND (rate.valid_to IS NULL OR rate.valid_to > $3)
 ORDER BY region.province NULLS FIRST, rate.id
