UPDATE store_settings
   SET name = COALESCE($1, name),
       country = COALESCE($2, country),
       locale = COALESCE($3, locale),
       time_zone = COALESCE($4, time_zone),
       contact_email = COALESCE($5, contact_email),
       prices_include_tax = COALESCE($6, prices_include_tax),
       tax_rounding = COALESCE($7, tax_rounding),
       tax_level = COALESCE($8, tax_level),
       reservation_minutes = COALESCE($9, reservation_minutes),
       order_prefix = COALESCE($10, order_prefix),
       terms_required = COALESCE($12, terms_required),
       version = version + 1,
       updated_at = $11
RETURNING name, country, currency, locale, time_zone, contact_email, prices_include_tax, tax_rounding, tax_level,
       reservation_minutes, order_prefix, terms_required, version
