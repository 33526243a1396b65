-- $1 collection, $2 product to go on after or null: so many products at a time. The turn of the rules is taken.
WITH chosen AS MATERIALIZED (
    SELECT p.id, p.title, p.vendor, p.product_type, p.tags, p.created_at FROM products p WHERE $2::uuid IS NULL OR p.id > $2
    ORDER BY p.id LIMIT 5000
), wanted AS MATERIALIZED (
    SELECT c.id, c.rules, c.match_any FROM collections c WHERE c.rules IS NOT NULL AND c.id = $1
