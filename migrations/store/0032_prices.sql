-- Prices that differ by market, by time and by how many are bought.

ALTER TABLE markets ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE markets ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();

-- A market may go; its carts stay.
ALTER TABLE carts DROP CONSTRAINT carts_market_id_fkey;
ALTER TABLE carts ADD CONSTRAINT carts_market_id_fkey FOREIGN KEY (market_id) REFERENCES markets ON DELETE SET NULL;

-- `fixed`: the prices of `price_list_prices`. `percent`: every base price of the currency, this much (in ppm) up or down.
CREATE TABLE price_lists (
    id           uuid PRIMARY KEY,
    name         text NOT NULL UNIQUE,
    currency     text NOT NULL,
    market_id    uuid REFERENCES markets ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('fixed', 'percent')),
    adjust_ppm   integer CHECK (adjust_ppm BETWEEN -1000000 AND 10000000),
    min_quantity integer NOT NULL DEFAULT 1 CHECK (min_quantity > 0),
    priority     integer NOT NULL DEFAULT 0,
    active       boolean NOT NULL DEFAULT true,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz CHECK (ends_at > starts_at),
    version      bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CHECK ((kind = 'percent') = (adjust_ppm IS NOT NULL))
);
CREATE INDEX price_lists_in_force ON price_lists (currency) WHERE active;

CREATE TABLE price_list_prices (
    list_id      uuid NOT NULL REFERENCES price_lists ON DELETE CASCADE,
    variant_id   uuid NOT NULL REFERENCES product_variants ON DELETE CASCADE,
    min_quantity integer NOT NULL CHECK (min_quantity > 0),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    PRIMARY KEY (list_id, variant_id, min_quantity)
);
CREATE INDEX price_list_prices_variant ON price_list_prices (variant_id);

INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, 'market', p.action
FROM roles r
JOIN (VALUES ('owner', '*'), ('manager', '*'), ('catalogue', 'view'), ('viewer', 'view')) AS p (name, action) ON p.name = r.name
WHERE r.built_in
ON CONFLICT DO NOTHING;
