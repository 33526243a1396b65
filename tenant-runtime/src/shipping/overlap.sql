SELECT ARRAY(SELECT unnest(countries) INTERSECT SELECT unnest($2) ORDER BY 1) AS countries
  FROM shipping_zones
 WHERE id <> $1
   AND (countries && $2 OR (rest_of_world AND $3))
 LIMIT 1
