INSERT INTO shipping_zones (id, name, countries, rest_of_world, provinces, postal_codes, profile_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)
