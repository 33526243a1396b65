-- $1 country, $2 currency, $3 the parcels, $4 province as zones keep it or null, $5 postal code, $6 now.
WITH destination AS (
    SELECT upper(regexp_replace($5, '[^0-9A-Za-z]', '', 'g')) AS code
), parcel AS (
    -- `question`: what carriers are asked about it, as SHA-256.
    SELECT number, profile_id, total, grams, pieces, decode(question, 'hex') AS question
      FROM jsonb_to_recordset($3) AS p (number integer, profile_id uuid, total bigint, grams bigint, pieces bigint, question text)
), fitting AS (
    -- Of postal codes the longer beginning is the more specific one; GREATEST passes over nulls.
    SELECT zone.id, zone.profile_id,
           GREATEST((SELECT max(2 + length(split_part(codes.span, ':', 2)))
                       FROM destination, unnest(zone.postal_codes) AS codes (span)
                      WHERE split_part(codes.span, ':', 1) = $1
                        AND length(code) >= length(split_part(codes.span, ':', 2))
                        AND left(code, length(split_part(codes.span, ':', 2))) COLLATE "C"
                            BETWEEN split_part(codes.span, ':', 2) AND split_part(codes.span, ':', 3)),
                    CASE WHEN $4 = ANY (zone.provinces) THEN 2 END,
                    CASE WHEN $1 = ANY (zone.countries) THEN 1 END,
                    CASE WHEN zone.rest_of_world THEN 0 END) AS rank
      FROM shipping_zones zone
), zone AS (
    SELECT DISTINCT ON (parcel.number) parcel.*, fitting.id
      FROM parcel
      JOIN fitting ON fitting.profile_id IS NOT DISTINCT FROM parcel.profile_id
     WHERE fitting.rank IS NOT NULL
     ORDER BY parcel.number, fitting.rank DESC, fitting.id
)
SELECT zone.number, rate.id, COALESCE(service.title, rate.name) AS title, service.code,
       COALESCE(service.min_days, rate.min_days) AS min_days, COALESCE(service.max_days, rate.max_days) AS max_days,
       CASE WHEN service.amount_minor IS NULL THEN NULL
            WHEN rate.free_from_minor <= zone.total THEN 0
            ELSE service.amount_minor + rate.amount_minor + rate.per_piece_minor * zone.pieces + rate.per_kilogram_minor * ((zone.grams + 999) / 1000)
       END AS amount_minor,
       CASE WHEN quote.calculator_id IS NULL THEN rate.calculator_id END AS unasked,
       rate.processing_days, rate.cut_off, here.local_now, here.working_days, here.holidays
  FROM shipping_rates rate
  JOIN zone ON zone.id = rate.zone_id
  LEFT JOIN shipping_calculators calculator ON calculator.id = rate.calculator_id
  LEFT JOIN shipping_quotes quote ON quote.calculator_id = calculator.id AND quote.question = zone.question AND quote.good_until > $6
  LEFT JOIN LATERAL (
           -- A rate that nobody calculates adds nothing to its own price.
           SELECT NULL::text AS code, NULL::text AS title, 0::bigint AS amount_minor, NULL::integer AS min_days, NULL::integer AS max_days
            WHERE rate.calculator_id IS NULL
           UNION ALL
           SELECT said.code, said.title, said.amount_minor, said.min_days, said.max_days
             FROM jsonb_to_recordset(quote.services)
                  AS said (code text, title text, amount_minor bigint, min_days integer, max_days integer)
           UNION ALL
           SELECT NULL, NULL, calculator.fallback_minor, NULL, NULL
            WHERE quote.services IS NULL AND calculator.fallback_currency = rate.currency
       ) AS service ON true
  LEFT JOIN LATERAL (
           SELECT $6 AT TIME ZONE store.time_zone AS local_now, settings.working_days, settings.holidays
             FROM store_settings store, shipping_settings settings
            WHERE rate.processing_days IS NOT NULL
       ) AS here ON true
 WHERE rate.active
   AND rate.currency = $2
   AND (rate.min_total_minor IS NULL OR rate.min_total_minor <= zone.total)
   AND (rate.max_total_minor IS NULL OR rate.max_total_minor >= zone.total)
   AND (rate.min_weight_grams IS NULL OR rate.min_weight_grams <= zone.grams)
   AND (rate.max_weight_grams IS NULL OR rate.max_weight_grams >= zone.grams)
 ORDER BY amount_minor, rate.position, rate.id, service.code
 LIMIT 2000
