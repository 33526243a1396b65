-- $1 gift cards in the order they pay, $2 a customer whose store credit pays last, $3 currency, $4 now.
SELECT a.id, a.kind, a.last_characters, a.currency, a.balance_minor
  FROM credit_accounts a
 WHERE (a.id = ANY($1) OR a.customer_id = $2)
   AND a.currency = $3
   AND NOT a.disabled
   AND (a.expires_at IS NULL OR a.expires_at > $4)
   AND a.balance_minor > 0
 ORDER BY array_position($1, a.id) NULLS LAST
