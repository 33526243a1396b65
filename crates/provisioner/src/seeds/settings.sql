INSERT INTO store_settings (name, country, currency, locale, time_zone, contact_email, prices_include_tax)
SELECT s.name, s.country, s.currency, s.locale, s.time_zone, s.contact_email, s.prices_include_tax
FROM jsonb_to_record($1 -> 'settings') AS s (
    name text, country text, currency text, locale text, time_zone text, contact_email text, prices_include_tax boolean)
