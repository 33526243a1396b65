SELECT a.code, a.name, a.kind, p.currency,
       sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0)::bigint AS debit_minor,
       -sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0)::bigint AS credit_minor
FROM postings p
JOIN ledger_accounts a ON a.id = p.account_id
JOIN journal_entries e ON e.id = p.entry_id
WHERE ($1::timestamptz IS NULL OR e.at >= $1) AND ($2::timestamptz IS NULL OR e.at < $2)
GROUP BY p.currency, a.code, a.name, a.kind
ORDER BY p.currency, a.code
