-- What is taken off prices, who has taken it, and what an order keeps of it.

-- `terms` is what the discount does, in the shape of the API; `method` is how one comes by it.
CREATE TABLE discounts (
    id                 uuid PRIMARY KEY,
    title              text NOT NULL,
    method             text NOT NULL CHECK (method IN ('code', 'automatic')),
    kind               text NOT NULL CHECK (kind IN ('percentage', 'fixed_amount', 'buy_x_get_y', 'free_shipping')),
    terms              jsonb NOT NULL,
    minimum            jsonb NOT NULL DEFAULT '{}',
    combines           text[] NOT NULL DEFAULT '{}',
    usage_limit        bigint CHECK (usage_limit > 0),
    per_customer_limit bigint CHECK (per_customer_limit > 0),
    -- orders that stand on it, attempts under way included; changed only together with a row of `discount_uses`
    used               bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    paused             boolean NOT NULL DEFAULT false,
    starts_at          timestamptz NOT NULL,
    ends_at            timestamptz CHECK (ends_at > starts_at),
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE INDEX discounts_newest ON discounts (created_at DESC, id DESC);
CREATE INDEX discounts_automatic ON discounts (id) WHERE method = 'automatic' AND NOT paused;

-- `code_key` is the code in capitals: a shopper's SUMMER and summer are one.
CREATE TABLE discount_codes (
    code_key    text PRIMARY KEY,
    code        text NOT NULL,
    discount_id uuid NOT NULL REFERENCES discounts ON DELETE CASCADE,
    position    integer NOT NULL
);
CREATE INDEX discount_codes_discount ON discount_codes (discount_id, position);

-- A use counts while its order stands: the row goes when the order is cancelled or never came about.
CREATE TABLE discount_uses (
    discount_id uuid NOT NULL REFERENCES discounts ON DELETE CASCADE,
    order_id    uuid NOT NULL,
    email_key   text NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (order_id, discount_id)
);
CREATE INDEX discount_uses_customer ON discount_uses (discount_id, email_key);

-- What the shopper has entered, in capitals and in that order; whether it applies is worked out anew each time.
ALTER TABLE carts ADD COLUMN discount_codes text[] NOT NULL DEFAULT '{}';

ALTER TABLE shipping_lines ADD COLUMN discount_minor bigint NOT NULL DEFAULT 0 CHECK (discount_minor >= 0);

-- The order's own copy: which discount took how much off which line. Exactly one of order line and shipping line.
CREATE TABLE discount_allocations (
    id               uuid PRIMARY KEY,
    order_id         uuid NOT NULL REFERENCES orders,
    order_line_id    uuid REFERENCES order_lines,
    shipping_line_id uuid REFERENCES shipping_lines,
    discount_id      uuid NOT NULL,
    title            text NOT NULL,
    code             text,
    kind             text NOT NULL,
    amount_minor     bigint NOT NULL CHECK (amount_minor > 0),
    CHECK ((order_line_id IS NULL) <> (shipping_line_id IS NULL))
);
CREATE INDEX discount_allocations_order ON discount_allocations (order_id);
REVOKE UPDATE, DELETE, TRUNCATE ON discount_allocations FROM :role;

-- Roles of stores that are there already; a new store is given them with its other roles.
INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, 'discount', p.action
FROM roles r
JOIN (VALUES ('owner', '*'), ('manager', '*'), ('support', 'view'), ('viewer', 'view'), ('accountant', 'view')) AS p (name, action) ON p.name = r.name
WHERE r.built_in
ON CONFLICT DO NOTHING;
