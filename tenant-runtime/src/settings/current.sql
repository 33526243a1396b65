SELECT name, country, currency, locale, time_zone, contact_email, prices_include_tax, tax_rounding, tax_level,
       reservation_minutes, order_prefix, terms_required, marketing_opt_in, version,
       EXISTS (SELECT FROM locations WHERE pickup AND active AND bucket_of IS NULL) AS offers_pickup
  FROM store_settings
