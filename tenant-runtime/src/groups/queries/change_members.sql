-- $1 group, $2 who comes, $3 who goes, $4 now.
WITH removed AS (
    DELETE FROM customer_group_members WHERE group_id = $1 AND customer_id = ANY($3) RETURNING customer_id
), added AS (
    INSERT INTO customer_group_members (group_id, customer_id, added_at)
    SELECT $1, come.id, $4 FROM (SELECT DISTINCT id FROM unnest($2::uuid[]) AS c (id)) AS come
    ON CONFLICT DO NOTHING
    RETURNING customer_id
), counted AS (
    UPDATE customer_groups SET version = version + 1, updated_at = $4
     WHERE id = $1 AND (EXISTS (SELECT FROM removed) OR EXISTS (SELECT FROM added))
)
SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM removed) AS removed
