-- $1 order. Its lines and, last, its delivery, as they were paid for (a line's total is what is left after its discounts), and what of them went back.
WITH gone AS (
    SELECT order_line_id, sum(quantity)::bigint AS pieces, sum(amount_minor)::bigint AS amount_minor, sum(tax_minor)::bigint AS tax_minor
    FROM refund_lines WHERE order_id = $1 GROUP BY order_line_id
), part AS (
    SELECT l.id AS line_id, l.inventory_item_id AS item_id, l.position, l.quantity, l.total_minor AS price_minor, l.components,
           (SELECT coalesce(sum(t.amount_minor), 0)::bigint FROM tax_lines t WHERE t.order_id = $1 AND t.order_line_id = l.id) AS tax_minor
    FROM order_lines l WHERE l.order_id = $1
    UNION ALL
    SELECT NULL, NULL, 2147483647, 0, o.shipping_minor, NULL,
           (SELECT coalesce(sum(t.amount_minor), 0)::bigint FROM tax_lines t WHERE t.order_id = $1 AND t.shipping_line_id IS NOT NULL)
    FROM orders o WHERE o.id = $1 AND o.shipping_minor > 0
)
SELECT p.line_id, p.item_id, p.components, p.quantity, o.currency, p.tax_minor,
       p.price_minor + CASE WHEN o.prices_include_tax THEN 0 ELSE p.tax_minor END AS gross_minor,
       coalesce(g.pieces, 0) AS returned, coalesce(g.amount_minor, 0) AS refunded_minor, coalesce(g.tax_minor, 0) AS refunded_tax_minor
FROM part p
JOIN orders o ON o.id = $1
LEFT JOIN gone g ON g.order_line_id IS NOT DISTINCT FROM p.line_id
ORDER BY p.position
