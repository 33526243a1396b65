-- $1 image, $2 product. Bytes from before there were objects go with the last picture that has them; a trigger lets objects go.
WITH gone AS (
    DELETE FROM product_images WHERE id = $1 AND product_id = $2 RETURNING id, digest
), blob AS (
    DELETE FROM media_blobs b USING gone
    WHERE b.digest = gone.digest AND NOT EXISTS (
        SELECT 1 FROM product_images i WHERE i.digest = gone.digest AND i.object_id IS NULL AND i.id <> gone.id)
)
SELECT id FROM gone
