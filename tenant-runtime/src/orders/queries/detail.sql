SELECT o.id, o.cart_id, o.secret_hash, o.number, o.name, o.state, o.financial_status, o.fulfillment_status, o.customer_id, o.email, o.currency,
       o.prices_include_tax, o.subtotal_minor, o.discount_minor, o.shipping_minor, o.tax_minor, o.total_minor, o.shipping_address,
       o.billing_address, o.note, o.attributes, o.tax_relief, o.terms_version, o.terms_accepted_at, o.cancelled_at, o.cancel_reason, o.placed_at, o.version, o.created_at, o.updated_at,
       coalesce((SELECT json_agg(row_to_json(l) ORDER BY l.position) FROM order_lines l WHERE l.order_id = o.id), '[]') AS lines,
       coalesce((SELECT json_agg(row_to_json(s) ORDER BY s.id) FROM shipping_lines s WHERE s.order_id = o.id), '[]') AS shipping_lines,
       coalesce((SELECT json_agg(row_to_json(t) ORDER BY t.id) FROM tax_lines t WHERE t.order_id = o.id), '[]') AS tax_lines,
       coalesce((SELECT json_agg(row_to_json(a) ORDER BY a.id) FROM discount_allocations a WHERE a.order_id = o.id), '[]') AS allocations,
       coalesce((SELECT json_agg(json_build_object('id', c.account_id, 'kind', a.kind, 'last_characters', a.last_characters,
                    'amount_minor', c.amount_minor, 'state', c.state) ORDER BY c.account_id)
                 FROM order_credits c JOIN credit_accounts a ON a.id = c.account_id WHERE c.order_id = o.id), '[]') AS credits,
       coalesce((SELECT json_agg(json_build_object('id', s.id, 'provider', s.provider, 'state', s.state, 'amount_minor', s.amount_minor,
                    'redirect_url', s.redirect_url, 'failure_code', s.failure_code, 'failure_message', s.failure_message,
                    'reference', s.reference, 'created_at', s.created_at, 'authorized_minor', coalesce(p.authorized_minor, 0),
                    'captured_minor', coalesce(p.captured_minor, 0), 'refunded_minor', coalesce(p.refunded_minor, 0),
                    'transactions', coalesce((SELECT json_agg(json_build_object('id', x.id, 'kind', x.kind, 'state', x.state,
                        'amount_minor', x.amount_minor, 'at', x.at) ORDER BY x.id) FROM payment_transactions x WHERE x.payment_id = p.id), '[]'))
                    ORDER BY s.created_at, s.id)
                 FROM payment_sessions s LEFT JOIN payments p ON p.session_id = s.id WHERE s.order_id = o.id), '[]') AS payments,
       coalesce((SELECT json_agg(json_build_object('id', r.id, 'amount_minor', r.amount_minor, 'reason', r.reason, 'state', r.state,
                    'failure_message', r.failure_message, 'created_at', r.created_at, 'updated_at', r.updated_at,
                    'lines', coalesce((SELECT json_agg(json_build_object('line', x.order_line_id, 'quantity', x.quantity,
                        'amount_minor', x.amount_minor, 'tax_minor', x.tax_minor, 'stock', x.stock) ORDER BY x.id)
                        FROM refund_lines x WHERE x.refund_id = r.id), '[]')) ORDER BY r.id)
                 FROM refunds r WHERE r.order_id = o.id), '[]') AS refunds,
       coalesce((SELECT json_agg(json_build_object('kind', e.kind, 'actor', e.actor, 'details', e.details, 'at', e.at) ORDER BY e.id)
                 FROM order_events e WHERE e.order_id = o.id), '[]') AS timeline
FROM orders o
