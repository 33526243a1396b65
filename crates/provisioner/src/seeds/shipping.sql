WITH zone AS (
    SELECT * FROM jsonb_to_recordset($1 -> 'shipping_zones') AS z (
        id uuid, name text, countries text[], rest_of_world boolean, rates jsonb)
), made AS (
    INSERT INTO shipping_zones (id, name, countries, rest_of_world) SELECT id, name, countries, rest_of_world FROM zone
)
INSERT INTO shipping_rates (id, zone_id, name, currency, amount_minor, min_total_minor, max_total_minor, position)
SELECT r.id, zone.id, r.name, $1 -> 'settings' ->> 'currency', r.amount_minor, r.min_total_minor, r.max_total_minor, r.position
FROM zone, jsonb_to_recordset(zone.rates) AS r (
    id uuid, name text, amount_minor bigint, min_total_minor bigint, max_total_minor bigint, position integer)
