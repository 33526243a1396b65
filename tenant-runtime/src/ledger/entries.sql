SELECT e.id, e.fact, e.kind, e.description, e.order_id, e.at,
       coalesce((SELECT jsonb_agg(jsonb_build_object('account', a.code, 'account_name', a.name,
                    'amount', jsonb_build_object('amount_minor', p.amount_minor, 'currency', p.currency)) ORDER BY p.id)
                 FROM postings p JOIN ledger_accounts a ON a.id = p.account_id WHERE p.entry_id = e.id), '[]') AS postings
FROM journal_entries e
WHERE ($1::uuid IS NULL OR e.order_id = $1)
  AND ($2::text IS NULL OR e.kind = $2)
  AND ($3::timestamptz IS NULL OR e.at >= $3) AND ($4::timestamptz IS NULL OR e.at < $4)
  AND ($5::timestamptz IS NULL OR (e.at, e.id) < ($5, $6::uuid))
ORDER BY e.at DESC, e.id DESC
LIMIT $7
