-- The discounts are locked by the statement before, so that the counts seen here are final.
WITH taken AS (
    UPDATE discounts d
       SET used = d.used + 1
     WHERE d.id = ANY($1)
       AND NOT d.paused
       AND d.starts_at <= $4
       AND (d.ends_at IS NULL OR d.ends_at > $4)
       AND (d.usage_limit IS NULL OR d.used < d.usage_limit)
       AND (d.per_customer_limit IS NULL
            OR (SELECT count(*) FROM discount_uses u
                 WHERE u.discount_id = d.id AND u.customer_digest = customer_digest($3)) < d.per_customer_limit)
    RETURNING d.id
)
INSERT INTO discount_uses (discount_id, order_id, customer_digest, at)
SELECT id, $2, customer_digest($3), $4 FROM taken
RETURNING discount_id AS id
