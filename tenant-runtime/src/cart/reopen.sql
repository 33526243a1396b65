UPDATE carts
   SET state = 'active', completing_until = $2, version = version + 1, updated_at = $3
 WHERE id = $1
   AND state = 'completing'
RETURNING terms
