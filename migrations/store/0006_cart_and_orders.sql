-- From basket to agreement. A cart is what a shopper considers; an order is an immutable copy of what was agreed.

CREATE TABLE customers (
    id         uuid PRIMARY KEY,
    email      text NOT NULL,
    email_key  text NOT NULL UNIQUE,
    first_name text NOT NULL DEFAULT '',
    last_name  text NOT NULL DEFAULT '',
    state      text NOT NULL DEFAULT 'enabled' CHECK (state IN ('invited', 'enabled', 'disabled')),
    password   text,
    epoch      bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Whoever holds the secret may use the cart; only its SHA-256 is kept.
CREATE TABLE carts (
    id               uuid PRIMARY KEY,
    secret_hash      bytea NOT NULL,
    state            text NOT NULL CHECK (state IN ('active', 'completing', 'completed', 'merged', 'expired')),
    currency         text NOT NULL,
    market_id        uuid REFERENCES markets,
    customer_id      uuid REFERENCES customers,
    email            text,
    note             text NOT NULL DEFAULT '',
    shipping_address jsonb,
    billing_address  jsonb,
    shipping_rate_id uuid,
    completing_until timestamptz,
    version          bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX carts_idle ON carts (updated_at) WHERE state = 'active';

CREATE TABLE cart_lines (
    id         uuid PRIMARY KEY,
    cart_id    uuid NOT NULL REFERENCES carts ON DELETE CASCADE,
    variant_id uuid NOT NULL REFERENCES product_variants ON DELETE CASCADE,
    quantity   integer NOT NULL CHECK (quantity BETWEEN 1 AND 999999),
    position   integer NOT NULL,
    added_at   timestamptz NOT NULL,
    UNIQUE (cart_id, variant_id)
);

CREATE TABLE orders (
    id                   uuid PRIMARY KEY,
    number               bigint UNIQUE,
    name                 text UNIQUE,
    cart_id              uuid NOT NULL,
    secret_hash          bytea NOT NULL,
    state                text NOT NULL CHECK (state IN ('pending_payment', 'open', 'closed', 'cancelled')),
    financial_status     text NOT NULL CHECK (financial_status IN ('pending', 'authorized', 'partially_paid', 'paid', 'partially_refunded', 'refunded', 'voided', 'expired')),
    fulfillment_status   text NOT NULL DEFAULT 'unfulfilled' CHECK (fulfillment_status IN ('unfulfilled', 'partially_fulfilled', 'fulfilled', 'restocked')),
    customer_id          uuid REFERENCES customers,
    email                text NOT NULL,
    currency             text NOT NULL,
    prices_include_tax   boolean NOT NULL,
    subtotal_minor       bigint NOT NULL CHECK (subtotal_minor >= 0),
    discount_minor       bigint NOT NULL DEFAULT 0 CHECK (discount_minor >= 0),
    shipping_minor       bigint NOT NULL CHECK (shipping_minor >= 0),
    tax_minor            bigint NOT NULL CHECK (tax_minor >= 0),
    total_minor          bigint NOT NULL CHECK (total_minor >= 0),
    shipping_address     jsonb,
    billing_address      jsonb,
    note                 text NOT NULL DEFAULT '',
    cancelled_at         timestamptz,
    cancel_reason        text CHECK (cancel_reason IN ('customer', 'inventory', 'fraud', 'declined', 'staff', 'expired', 'other')),
    placed_at            timestamptz,
    version              bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    CHECK (total_minor = subtotal_minor - discount_minor + shipping_minor + CASE WHEN prices_include_tax THEN 0 ELSE tax_minor END)
);
-- One order per cart; an attempt that was never placed and is over does not stand in the way of the next.
CREATE UNIQUE INDEX orders_one_per_cart ON orders (cart_id) WHERE state <> 'cancelled' OR number IS NOT NULL;
CREATE INDEX orders_newest ON orders (created_at DESC, id DESC);
CREATE INDEX orders_email ON orders (email);
CREATE INDEX orders_pending ON orders (updated_at) WHERE state = 'pending_payment';

CREATE TABLE order_lines (
    id                uuid PRIMARY KEY,
    order_id          uuid NOT NULL REFERENCES orders,
    position          integer NOT NULL,
    variant_id        uuid NOT NULL,
    product_id        uuid NOT NULL,
    inventory_item_id uuid NOT NULL,
    location_id       uuid,
    title             text NOT NULL,
    variant_title     text NOT NULL,
    sku               text,
    options           jsonb NOT NULL DEFAULT '[]',
    image_id          uuid,
    requires_shipping boolean NOT NULL,
    quantity          integer NOT NULL CHECK (quantity > 0),
    unit_price_minor  bigint NOT NULL CHECK (unit_price_minor >= 0),
    discount_minor    bigint NOT NULL DEFAULT 0 CHECK (discount_minor >= 0),
    total_minor       bigint NOT NULL CHECK (total_minor >= 0),
    UNIQUE (order_id, position)
);

CREATE TABLE shipping_lines (
    id               uuid PRIMARY KEY,
    order_id         uuid NOT NULL REFERENCES orders,
    shipping_rate_id uuid,
    title            text NOT NULL,
    amount_minor     bigint NOT NULL CHECK (amount_minor >= 0)
);
CREATE INDEX shipping_lines_order ON shipping_lines (order_id);

-- One per line and rate, 0 included, with the reason. Exactly one of order line and shipping line.
CREATE TABLE tax_lines (
    id               uuid PRIMARY KEY,
    order_id         uuid NOT NULL REFERENCES orders,
    order_line_id    uuid REFERENCES order_lines,
    shipping_line_id uuid REFERENCES shipping_lines,
    name             text NOT NULL,
    jurisdiction     text NOT NULL,
    rate_ppm         integer NOT NULL,
    reason           text NOT NULL,
    taxable_minor    bigint NOT NULL,
    amount_minor     bigint NOT NULL,
    CHECK ((order_line_id IS NULL) <> (shipping_line_id IS NULL))
);
CREATE INDEX tax_lines_order ON tax_lines (order_id);

-- What happened to an order, in order.
CREATE TABLE order_events (
    id       uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    kind     text NOT NULL,
    actor    text NOT NULL,
    details  jsonb NOT NULL DEFAULT '{}',
    at       timestamptz NOT NULL
);
CREATE INDEX order_events_order ON order_events (order_id, id);
