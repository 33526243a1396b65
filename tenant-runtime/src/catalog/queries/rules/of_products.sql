-- $1 products, which are locked or new. The turn of the rules is shared.
WITH chosen AS MATERIALIZED (
    SELECT p.id, p.title, p.vendor, p.product_type, p.tags, p.created_at FROM products p WHERE p.id = ANY($1::uuid[])
), wanted AS MATERIALIZED (
    SELECT c.id, c.rules, c.match_any FROM collections c WHERE c.rules IS NOT NULL
