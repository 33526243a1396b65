INSERT INTO tax_regions (id, country, province)
VALUES ($1, $2, $3)
ON CONFLICT (country, province) DO UPDATE SET country = EXCLUDED.country
RETURNING id
