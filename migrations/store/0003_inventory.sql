-- Stock: available = on_hand − unavailable − committed − reserved, changed only by conditional updates that leave a movement behind.

CREATE TABLE locations (
    id         uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    country    text NOT NULL,
    priority   integer NOT NULL DEFAULT 0,
    active     boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL
);

CREATE TABLE inventory_items (
    id         uuid PRIMARY KEY,
    sku        text,
    tracked    boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL
);

-- `backorderable` is how far below zero `available` may go: 0 = deny.
CREATE TABLE inventory_levels (
    item_id       uuid NOT NULL REFERENCES inventory_items ON DELETE CASCADE,
    location_id   uuid NOT NULL REFERENCES locations,
    on_hand       bigint NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
    unavailable   bigint NOT NULL DEFAULT 0 CHECK (unavailable >= 0),
    committed     bigint NOT NULL DEFAULT 0 CHECK (committed >= 0),
    reserved      bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    backorderable bigint NOT NULL DEFAULT 0 CHECK (backorderable >= 0),
    version       bigint NOT NULL DEFAULT 1,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (item_id, location_id),
    CONSTRAINT inventory_levels_not_oversold CHECK (on_hand - unavailable - committed - reserved >= -backorderable)
);

-- One row per (checkout, item, location); `cart_id` is the checkout it holds stock for.
CREATE TABLE reservations (
    id          uuid PRIMARY KEY,
    cart_id     uuid NOT NULL,
    item_id     uuid NOT NULL REFERENCES inventory_items,
    location_id uuid NOT NULL REFERENCES locations,
    quantity    bigint NOT NULL CHECK (quantity > 0),
    state       text NOT NULL CHECK (state IN ('held', 'committed', 'released', 'expired')),
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX reservations_held ON reservations (cart_id, item_id, location_id) WHERE state = 'held';
CREATE INDEX reservations_cart ON reservations (cart_id);
CREATE INDEX reservations_expiry ON reservations (expires_at) WHERE state = 'held';
CREATE INDEX reservations_item ON reservations (item_id, location_id) WHERE state = 'held';

-- Immutable. The four deltas of all movements of a level add up to the level.
CREATE TABLE stock_movements (
    id                uuid PRIMARY KEY,
    item_id           uuid NOT NULL,
    location_id       uuid NOT NULL,
    kind              text NOT NULL CHECK (kind IN ('received', 'reserved', 'unreserved', 'committed', 'released', 'shipped', 'restocked', 'adjusted')),
    on_hand_delta     bigint NOT NULL DEFAULT 0,
    unavailable_delta bigint NOT NULL DEFAULT 0,
    committed_delta   bigint NOT NULL DEFAULT 0,
    reserved_delta    bigint NOT NULL DEFAULT 0,
    reason            text,
    cause_type        text,
    cause_id          uuid,
    actor             text NOT NULL,
    at                timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stock_movements_level ON stock_movements (item_id, location_id, id);
REVOKE UPDATE, DELETE, TRUNCATE ON stock_movements FROM :role;
