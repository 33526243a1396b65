SELECT id, name, countries, currency, locale, prices_include_tax, is_default, version
  FROM markets
 WHERE $1 = ANY (countries) OR is_default
 ORDER BY $1 = ANY (countries) DESC, id
 LIMIT 1
