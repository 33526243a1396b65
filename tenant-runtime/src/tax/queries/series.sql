-- $1 country, $2 code, $3 component, $4 class, $5 from. The versions that are in force then or later.
SELECT rate.id, rate.region_id, region.country, region.province, rate.component, rate.class, rate.name, rate.rate_ppm, rate.compound, rate.reason,
       rate.valid_from, rate.valid_to
  FROM tax_regions region
  JOIN tax_rates rate ON rate.region_id = region.id
 WHERE region.country = $1
   AND region.province IS NOT DISTINCT FROM $2
   AND rate.component = $3
   AND rate.class IS NOT DISTINCT FROM $4
   AND (rate.valid_to IS NULL OR rate.valid_to > $5)
 ORDER BY rate.valid_from
