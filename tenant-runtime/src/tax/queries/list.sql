SELECT rate.id, rate.region_id, region.country, region.province, rate.component, rate.class, rate.name, rate.rate_ppm, rate.compound, rate.reason,
       rate.valid_from, rate.valid_to
  FROM tax_rates rate
  JOIN tax_regions region ON region.id = rate.region_id
 WHERE ($1 IS NULL OR region.country = $1)
   AND ($2 IS NULL OR (rate.valid_from <= $3 AND (rate.valid_to IS NULL OR rate.valid_to > $3)) = $2)
 ORDER BY region.country, region.province NULLS FIRST, rate.component, rate.class NULLS FIRST, rate.valid_from DESC, rate.id DESC
 LIMIT 1000
