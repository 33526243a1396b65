UPDATE shipping_zones
   SET name = COALESCE($2, name),
       countries = COALESCE($3, countries),
       rest_of_world = COALESCE($4, rest_of_world),
       provinces = COALESCE($5, provinces),
       postal_codes = COALESCE($6, postal_codes)
 WHERE id = $1
