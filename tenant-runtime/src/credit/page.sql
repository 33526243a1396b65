SELECT a.id, a.kind, a.last_characters, a.customer_id, a.currency, a.balance_minor, a.disabled, a.expires_at, a.note, a.version, a.created_at,
       CASE WHEN $2::uuid IS NULL THEN '[]' ELSE
            COALESCE((SELECT jsonb_agg(jsonb_build_object('kind', e.kind, 'amount_minor', e.amount_minor, 'order_id', e.order_id,
                             'actor', e.actor, 'at', e.at) ORDER BY e.id)
                        FROM credit_entries e WHERE e.account_id = a.id), '[]') END AS entries
  FROM credit_accounts a
 WHERE a.kind = $1
   AND ($2 IS NULL OR a.id = $2)
   AND ($3::text IS NULL OR a.last_characters = upper($3))
   AND ($4::uuid IS NULL OR a.customer_id = $4)
   AND ($5::timestamptz IS NULL OR (a.created_at, a.id) < ($5, $6::uuid))
 ORDER BY a.created_at DESC, a.id DESC
 LIMIT $7
