UPDATE carts
   SET email = $2,
       note = $3,
       shipping_address = $4,
       billing_address = $5,
       shipping_rate_id = $6,
       discount_codes = $8,
       gift_cards = $9,
       use_store_credit = $10,
       version = version + 1,
       state = 'active',
       completing_until = NULL,
       updated_at = $7,
       attributes = $11,
       locale = $12,
       vat_number = $13,
       shipping_rate_ids = $14
 WHERE id = $1
