SELECT name, country, currency, locale, time_zone, contact_email, prices_include_tax, tax_rounding, tax_level,
       reservation_minutes, order_prefix, terms_required, version
  FROM store_settings
