-- $1 id, $2 sku, $3 barcode, $4 grams, $5 requires shipping, $6 taxable, $7 policy, $8 now, $9 tax class, which comes about when it is new.
WITH class AS (
    INSERT INTO tax_classes (code, name, created_at) SELECT $9, $9, $8 WHERE $9 IS NOT NULL ON CONFLICT DO NOTHING
)
UPDATE product_variants
SET sku = $2, barcode = $3, weight_grams = $4, requires_shipping = $5, taxable = $6, inventory_policy = $7, updated_at = $8, tax_class = $9,
    version = version + 1
WHERE id = $1
