WITH location AS (
    INSERT INTO locations (id, name, country, created_at)
    SELECT l.id, l.name, l.country, now()
    FROM jsonb_to_recordset($1 -> 'locations') AS l (id uuid, name text, country text)
)
INSERT INTO markets (id, name, countries, currency, locale, prices_include_tax, is_default)
SELECT m.id, m.name, m.countries, m.currency, m.locale, m.prices_include_tax, m.is_default
FROM jsonb_to_recordset($1 -> 'markets') AS m (
    id uuid, name text, countries text[], currency text, locale text, prices_include_tax boolean, is_default boolean)
