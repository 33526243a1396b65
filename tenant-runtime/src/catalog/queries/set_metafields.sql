-- $1 [{definition, value}] as jsonb, null takes away; $2 product, $3 variant, $4 collection: the owner, which is locked.
WITH wanted AS (
    SELECT w.definition, w.value FROM jsonb_to_recordset($1::jsonb) AS w(definition uuid, value jsonb)
), gone AS (
    DELETE FROM metafields m USING wanted w
    WHERE m.definition_id = w.definition AND w.value IS NULL AND (m.product_id = $2 OR ($2::uuid IS NULL AND m.collection_id = $4::uuid))
      AND m.variant_id IS NOT DISTINCT FROM $3::uuid
)
INSERT INTO metafields (definition_id, product_id, variant_id, collection_id, value)
SELECT w.definition, $2, $3, $4, w.value FROM wanted w WHERE w.value IS NOT NULL
ON CONFLICT (definition_id, product_id, variant_id, collection_id) DO UPDATE SET value = excluded.value
