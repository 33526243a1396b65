WITH same_start AS (
    DELETE FROM tax_rates WHERE region_id = $1 AND valid_from = $2
)
UPDATE tax_rates
   SET valid_to = $2
 WHERE region_id = $1
   AND valid_from < $2
   AND (valid_to IS NULL OR valid_to > $2)
