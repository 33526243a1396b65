WITH rate AS (
    INSERT INTO tax_rates (id, region_id, name, rate_ppm, reason, valid_from, component, class, compound, valid_to)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,
            coalesce($10, (SELECT min(later.valid_from) FROM tax_rates later
                           WHERE later.region_id = $2 AND later.component = $7 AND later.class IS NOT DISTINCT FROM $8 AND later.valid_from > $6)))
    RETURNING *
)
SELECT rate.id, rate.region_id, region.country, region.province, rate.component, rate.class, rate.name, rate.rate_ppm, rate.compound, rate.reason,
       rate.valid_from, rate.valid_to
  FROM rate
  JOIN tax_regions region ON region.id = rate.region_id
