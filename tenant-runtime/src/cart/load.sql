SELECT cart.secret_hash, cart.owner_secret_hash, cart.state, cart.completing_until, cart.currency, cart.market_id,
       (SELECT market.prices_include_tax FROM markets market WHERE market.id = cart.market_id) AS prices_include_tax, cart.customer_id, cart.email, cart.note, cart.attributes,
       cart.shipping_address, cart.billing_address, cart.shipping_rate_id, cart.discount_codes, cart.gift_cards,
       cart.use_store_credit, cart.locale, cart.vat_number, cart.terms, cart.version,
       (SELECT seen.version FROM carts seen WHERE seen.id = $1) AS lines_version,
       COALESCE((SELECT json_agg(row_to_json(line) ORDER BY line.position, line.id)
                   FROM cart_lines line WHERE line.cart_id = $1), '[]') AS lines
  FROM carts cart
 WHERE cart.id = $1
