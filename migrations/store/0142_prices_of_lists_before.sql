-- What price lists said before: the lowest price of 30 days looks at what everybody paid, and lists change and go.

-- From when on the list is as it is; null: since it was made.
ALTER TABLE price_lists ADD COLUMN terms_since timestamptz;
ALTER TABLE price_list_prices ADD COLUMN since timestamptz;

-- Times in which a list for everybody had these terms and was in force for one piece. The list may be gone.
CREATE TABLE price_list_history (
    list_id    uuid NOT NULL,
    since      timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    currency   text NOT NULL,
    market_id  uuid REFERENCES markets ON DELETE CASCADE,
    -- Null: of a list of fixed prices.
    adjust_ppm integer,
    priority   integer NOT NULL,
    PRIMARY KEY (list_id, since)
);
CREATE INDEX price_list_history_until ON price_list_history (currency, until);
CREATE INDEX price_list_history_market ON price_list_history (market_id) WHERE market_id IS NOT NULL;

-- Times in which a list of fixed prices had this one for one piece of a variant.
CREATE TABLE price_list_price_history (
    list_id      uuid NOT NULL,
    variant_id   uuid NOT NULL REFERENCES product_variants ON DELETE CASCADE,
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    amount_minor bigint NOT NULL,
    PRIMARY KEY (variant_id, list_id, since)
);
