-- $1 channels, $2 products, $3 whether there, $4 from when, $5 until when: pairwise, each pair once. Gives the products of those that were not so.
INSERT INTO product_publications (channel_id, product_id, visible, publish_at, unpublish_at, next_attempt_at)
SELECT w.channel, w.product, w.visible, w.publish_at, w.unpublish_at, least(w.publish_at, w.unpublish_at)
FROM unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::timestamptz[], $5::timestamptz[])
     AS w(channel, product, visible, publish_at, unpublish_at)
LEFT JOIN product_publications x ON x.channel_id = w.channel AND x.product_id = w.product
WHERE (coalesce(x.visible, false), x.publish_at, x.unpublish_at) IS DISTINCT FROM (w.visible, w.publish_at, w.unpublish_at)
ORDER BY w.product, w.channel
ON CONFLICT (channel_id, product_id) DO UPDATE SET visible = excluded.visible, publish_at = excluded.publish_at,
    unpublish_at = excluded.unpublish_at, next_attempt_at = excluded.next_attempt_at
RETURNING product_id
