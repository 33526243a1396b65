-- $1 group, $2 now.
SELECT ARRAY(SELECT l.name FROM price_list_groups x JOIN price_lists l ON l.id = x.list_id
              WHERE x.group_id = $1 ORDER BY l.name LIMIT 20) AS price_lists,
       ARRAY(SELECT d.title FROM discount_groups x JOIN discounts d ON d.id = x.discount_id
              WHERE x.group_id = $1 ORDER BY d.title, d.id LIMIT 20) AS discounts,
       (SELECT count(*) FROM tax_exemptions e WHERE e.group_id = $1 AND (e.valid_to IS NULL OR e.valid_to > $2)) AS tax_exemptions
