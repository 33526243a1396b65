-- An order with everything that was agreed, in one round trip.
WITH placed AS (
    INSERT INTO orders (id, cart_id, secret_hash, state, financial_status, customer_id, email, currency, prices_include_tax,
                        subtotal_minor, discount_minor, shipping_minor, tax_minor, total_minor, shipping_address, billing_address, note, created_at, updated_at,
                        attributes, tax_relief, terms_version, terms_accepted_at, terms_network, locale)
    VALUES ($1, $2, $3, 'pending_payment', 'pending', $4, $5, $6, $7, $8, $21, $9, $10, $11, $12, $13, $14, $15, $15, $23, $24, $25, $26, $27,
            coalesce((SELECT c.locale FROM carts c WHERE c.id = $2), (SELECT m.locale FROM customers m WHERE m.id = $4)))
    RETURNING id
), lines AS (
    INSERT INTO order_lines (id, order_id, position, variant_id, product_id, inventory_item_id, location_id, title, variant_title, sku, options,
                             image_id, requires_shipping, quantity, unit_price_minor, discount_minor, total_minor, components)
    SELECT l.id, placed.id, l.position, l.variant_id, l.product_id, l.inventory_item_id, l.location_id, l.title, l.variant_title, l.sku,
           l.options, l.image_id, l.requires_shipping, l.quantity, l.unit_price_minor, l.discount_minor, l.total_minor,
           l.components
    FROM placed, jsonb_to_recordset($16) AS l (id uuid, position integer, variant_id uuid, product_id uuid, inventory_item_id uuid,
        location_id uuid, title text, variant_title text, sku text, options jsonb, image_id uuid, requires_shipping boolean,
        quantity integer, unit_price_minor bigint, discount_minor bigint, total_minor bigint, components jsonb)
), shipping AS (
    INSERT INTO shipping_lines (id, order_id, shipping_rate_id, title, discount_minor, amount_minor)
    SELECT s.id, placed.id, s.shipping_rate_id, s.title, s.discount_minor, s.amount_minor
    FROM placed, jsonb_to_recordset($17) AS s (id uuid, shipping_rate_id uuid, title text, discount_minor bigint, amount_minor bigint)
), taxes AS (
    INSERT INTO tax_lines (id, order_id, order_line_id, shipping_line_id, name, jurisdiction, rate_ppm, reason, taxable_minor, amount_minor, rate_id, compound)
    SELECT t.id, placed.id, t.order_line_id, t.shipping_line_id, t.name, t.jurisdiction, t.rate_ppm, t.reason, t.taxable_minor, t.amount_minor,
           t.rate_id, t.compound
    FROM placed, jsonb_to_recordset($18) AS t (id uuid, order_line_id uuid, shipping_line_id uuid, name text, jurisdiction text,
        rate_ppm integer, reason text, taxable_minor bigint, amount_minor bigint, rate_id uuid, compound boolean)
), allocations AS (
    INSERT INTO discount_allocations (id, order_id, order_line_id, shipping_line_id, discount_id, title, code, kind, amount_minor)
    SELECT a.id, placed.id, a.order_line_id, a.shipping_line_id, a.discount_id, a.title, a.code, a.kind, a.amount_minor
    FROM placed, jsonb_to_recordset($22) AS a (id uuid, order_line_id uuid, shipping_line_id uuid, discount_id uuid, title text, code text,
        kind text, amount_minor bigint)
)
INSERT INTO order_events (id, order_id, kind, actor, details, at)
SELECT $19, placed.id, 'order.created', $20, '{}', $15 FROM placed
