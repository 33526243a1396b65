WITH same_start AS (
    DELETE FROM tax_rates WHERE region_id = $1 AND valid_from = $2 AND component = $3 AND class IS NOT DISTINCT FROM $4
)
UPDATE tax_rates
   SET valid_to = $2
 WHERE region_id = $1
   AND component = $3
   AND class IS NOT DISTINCT FROM $4
   AND valid_from < $2
   AND (valid_to IS NULL OR valid_to > $2)
