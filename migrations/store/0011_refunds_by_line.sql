-- What a refund gives back: pieces or part of a line's price, or of the delivery. A refund without lines gives all that was paid back.

-- `order_line_id` is null for the delivery. `quantity` counts pieces that were given back; 0 is a gesture that leaves the pieces sold.
-- Amounts are gross: what the shopper gets; `tax_minor` of it is tax.
CREATE TABLE refund_lines (
    id            uuid PRIMARY KEY,
    refund_id     uuid NOT NULL REFERENCES refunds,
    order_id      uuid NOT NULL REFERENCES orders,
    order_line_id uuid REFERENCES order_lines,
    quantity      integer NOT NULL CHECK (quantity >= 0),
    amount_minor  bigint NOT NULL CHECK (amount_minor >= 0),
    tax_minor     bigint NOT NULL CHECK (tax_minor BETWEEN 0 AND amount_minor),
    stock         text NOT NULL CHECK (stock IN ('restock', 'write_off', 'keep')),
    created_at    timestamptz NOT NULL,
    CHECK (order_line_id IS NOT NULL OR quantity = 0),
    UNIQUE (refund_id, order_line_id)
);
CREATE INDEX refund_lines_order ON refund_lines (order_id);
REVOKE UPDATE, DELETE, TRUNCATE ON refund_lines FROM :role;
