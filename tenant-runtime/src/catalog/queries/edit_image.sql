-- $1 product, $2 image, $3 alt, $4 variant or null, $5 all images of the product in their order.
UPDATE product_images i
SET position = w.number - 1,
    alt = CASE WHEN i.id = $2 THEN $3 ELSE i.alt END,
    variant_id = CASE WHEN i.id = $2 THEN $4 ELSE i.variant_id END
FROM unnest($5::uuid[]) WITH ORDINALITY AS w (id, number)
WHERE i.id = w.id AND i.product_id = $1
