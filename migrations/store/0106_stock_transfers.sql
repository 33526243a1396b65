-- Goods on their way from one location to another.

CREATE TABLE stock_transfers (
    id             uuid PRIMARY KEY,
    origin_id      uuid NOT NULL REFERENCES locations,
    destination_id uuid NOT NULL REFERENCES locations,
    state          text NOT NULL CHECK (state IN ('draft', 'in_transit', 'partly_received', 'received', 'cancelled')),
    reference      text,
    note           text,
    expected_at    timestamptz,
    sent_at        timestamptz,
    ended_at       timestamptz,
    version        bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CHECK (origin_id <> destination_id),
    CHECK ((ended_at IS NOT NULL) = (state IN ('received', 'cancelled')))
);
CREATE INDEX stock_transfers_under_way ON stock_transfers (destination_id) WHERE state IN ('in_transit', 'partly_received');
CREATE INDEX stock_transfers_open ON stock_transfers (origin_id) WHERE state NOT IN ('received', 'cancelled');

-- `received` came and is on the destination's shelf; `lost` never came or came broken; `returned` is back on the origin's.
CREATE TABLE stock_transfer_lines (
    transfer_id uuid NOT NULL REFERENCES stock_transfers ON DELETE CASCADE,
    item_id     uuid NOT NULL REFERENCES inventory_items,
    quantity    bigint NOT NULL CHECK (quantity BETWEEN 1 AND 999999999),
    received    bigint NOT NULL DEFAULT 0 CHECK (received >= 0),
    lost        bigint NOT NULL DEFAULT 0 CHECK (lost >= 0),
    returned    bigint NOT NULL DEFAULT 0 CHECK (returned >= 0),
    PRIMARY KEY (transfer_id, item_id),
    CONSTRAINT stock_transfer_lines_whole CHECK (received + lost + returned <= quantity)
);
CREATE INDEX stock_transfer_lines_item ON stock_transfer_lines (item_id);
