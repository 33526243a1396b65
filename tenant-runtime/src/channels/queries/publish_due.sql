-- $1 now, $2 how many. What was to be published before it was to be taken off again, and both are over, is not there.
WITH due AS (
    SELECT channel_id, product_id FROM product_publications WHERE next_attempt_at <= $1
    ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE product_publications x
SET visible = CASE WHEN x.unpublish_at <= $1 THEN false WHEN x.publish_at <= $1 THEN true ELSE x.visible END,
    publish_at = CASE WHEN x.publish_at > $1 THEN x.publish_at END,
    unpublish_at = CASE WHEN x.unpublish_at > $1 THEN x.unpublish_at END,
    next_attempt_at = least(CASE WHEN x.publish_at > $1 THEN x.publish_at END, CASE WHEN x.unpublish_at > $1 THEN x.unpublish_at END)
FROM due d
WHERE x.channel_id = d.channel_id AND x.product_id = d.product_id
RETURNING x.product_id
