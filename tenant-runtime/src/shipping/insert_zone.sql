INSERT INTO shipping_zones (id, name, countries, rest_of_world, provinces, postal_codes)
VALUES ($1, $2, $3, $4, $5, $6)
