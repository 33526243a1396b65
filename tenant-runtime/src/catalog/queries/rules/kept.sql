), gone AS (
    DELETE FROM collection_products cp USING judged j
    WHERE cp.collection_id = j.collection_id AND cp.product_id = j.product_id AND NOT j.fits
)
INSERT INTO collection_products (collection_id, product_id, position)
SELECT j.collection_id, j.product_id, j.position FROM judged j WHERE j.fits
ON CONFLICT (collection_id, product_id) DO NOTHING
