WITH wanted AS (
    SELECT * FROM jsonb_to_recordset($1 -> 'tax') AS t (
        region_id uuid, rate_id uuid, country text, province text, name text, rate_ppm integer, reason text)
), made AS (
    INSERT INTO tax_regions (id, country, province) SELECT region_id, country, province FROM wanted
)
INSERT INTO tax_rates (id, region_id, name, rate_ppm, reason, valid_from)
-- In force since yesterday, so that no clock that is a little behind finds the store without a rate.
SELECT rate_id, region_id, name, rate_ppm, reason, now() - interval '1 day' FROM wanted
