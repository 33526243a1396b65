-- What left the house: fulfillments, their lines, and from which shelves the pieces came.

ALTER TABLE order_lines ADD COLUMN fulfilled_quantity integer NOT NULL DEFAULT 0;
ALTER TABLE order_lines ADD CONSTRAINT order_lines_fulfilled CHECK (fulfilled_quantity BETWEEN 0 AND quantity) NOT VALID;

CREATE TABLE fulfillments (
    id               uuid PRIMARY KEY,
    order_id         uuid NOT NULL REFERENCES orders,
    -- The how-manieth of its order, from 1.
    number           integer NOT NULL CHECK (number >= 1),
    name             text NOT NULL,
    state            text NOT NULL CHECK (state IN ('success', 'cancelled')),
    tracking_company text,
    tracking_number  text,
    tracking_url     text,
    version          bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    cancelled_at     timestamptz,
    UNIQUE (order_id, number),
    CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL))
);

CREATE TABLE fulfillment_lines (
    fulfillment_id uuid NOT NULL REFERENCES fulfillments,
    order_line_id  uuid NOT NULL REFERENCES order_lines,
    quantity       integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (fulfillment_id, order_line_id)
);
REVOKE UPDATE, DELETE, TRUNCATE ON fulfillment_lines FROM :role;

-- So that a fulfillment that is cancelled puts them back where they were.
CREATE TABLE fulfillment_pieces (
    fulfillment_id uuid NOT NULL REFERENCES fulfillments,
    item_id        uuid NOT NULL REFERENCES inventory_items,
    location_id    uuid NOT NULL REFERENCES locations,
    quantity       bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (fulfillment_id, item_id, location_id)
);
REVOKE UPDATE, DELETE, TRUNCATE ON fulfillment_pieces FROM :role;
