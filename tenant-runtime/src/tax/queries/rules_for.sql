-- $1 country, $2 now, $3 customer, $4 VAT number, $5 province, $6 postal code without spaces. All that says what is owed there, and by whom.
SELECT s.shipping, s.shipping_class, s.reverse_charge, s.relieved_pay, s.version,
       (SELECT n.outcome FROM tax_numbers n WHERE n.number = $4) AS number_outcome,
       (SELECT n.checked_at FROM tax_numbers n WHERE n.number = $4) AS number_checked_at,
       (SELECT json_build_object('reason', e.reason, 'certificate', e.certificate)
          FROM tax_exemptions e
         WHERE (e.customer_id = $3 OR e.group_id IN (SELECT m.group_id FROM customer_group_members m WHERE m.customer_id = $3))
           AND e.valid_from <= $2 AND (e.valid_to IS NULL OR e.valid_to > $2)
           AND (e.country IS NULL OR e.country = $1) AND (e.province IS NULL OR upper(e.province) = upper($5))
         ORDER BY e.group_id IS NOT NULL, e.id LIMIT 1) AS exemption,
       coalesce((SELECT json_agg(json_build_object('id', r.id, 'country', r.country, 'province', r.province,
                    'parent_id', r.parent_id, 'postal_ranges', r.postal_ranges, 'stands_alone', r.stands_alone,
                    'rates', coalesce((SELECT json_agg(json_build_object('id', t.id, 'name', t.name, 'rate_ppm', t.rate_ppm,
                        'reason', t.reason, 'component', t.component, 'class', t.class, 'compound', t.compound)
                        ORDER BY t.component, t.class NULLS FIRST, t.id)
                        FROM tax_rates t WHERE t.region_id = r.id AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)), '[]'))
                    ORDER BY r.province NULLS FIRST, r.id)
                 FROM tax_regions r
                 WHERE r.country = $1
                   AND (r.province IS NULL OR (r.postal_ranges IS NULL AND upper(r.province) = upper($5))
                        OR EXISTS (SELECT FROM jsonb_to_recordset(r.postal_ranges) AS p ("from" text, "to" text)
                                   WHERE left($6, length(p."from")) COLLATE "C" BETWEEN p."from" AND p."to"))), '[]') AS regions
  FROM tax_settings s
