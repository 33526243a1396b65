-- $1 {values, variants, currency} as jsonb, $2 now.
WITH doc AS (SELECT $1::jsonb AS d), vals AS (
    INSERT INTO product_option_values (id, option_id, value, position)
    SELECT r.id, r.option_id, r.value, r.position
    FROM doc, jsonb_to_recordset(d -> 'values') AS r(id uuid, option_id uuid, value text, position integer)
), wanted AS (
    SELECT r.*, d ->> 'currency' AS currency
    FROM doc, jsonb_to_recordset(d -> 'variants') AS r(id uuid, product_id uuid, title text, sku text, barcode text, options jsonb,
         position integer, weight_grams bigint, requires_shipping boolean, taxable boolean, tax_class text, inventory_item_id uuid,
         inventory_policy text, price_id uuid, amount_minor bigint, compare_at_minor bigint)
), classes AS (
    INSERT INTO tax_classes (code, name, created_at)
    SELECT DISTINCT tax_class, tax_class, $2 FROM wanted WHERE tax_class IS NOT NULL ON CONFLICT DO NOTHING
), variants AS (
    INSERT INTO product_variants (id, product_id, title, sku, barcode, options, position, weight_grams, requires_shipping, taxable, tax_class,
                                  inventory_item_id, inventory_policy, created_at, updated_at)
    SELECT id, product_id, title, sku, barcode, options, position, weight_grams, requires_shipping, taxable, tax_class, inventory_item_id,
           inventory_policy, $2, $2
    FROM wanted
), amounts AS (
    INSERT INTO prices (id, variant_id, currency, amount_minor, compare_at_minor, updated_at)
    SELECT price_id, id, currency, amount_minor, compare_at_minor, $2 FROM wanted
)
INSERT INTO price_history (variant_id, currency, amount_minor, since) SELECT id, currency, amount_minor, $2 FROM wanted
