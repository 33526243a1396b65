-- From when to when a delivery is on its way: working days and holidays of the store, and how long a rate takes to hand over.

-- Working days until it is handed over to who delivers it; without it no dates are told. From `cut_off` on, where the store is, an order
-- counts as of the next day.
ALTER TABLE shipping_rates ADD COLUMN processing_days integer CHECK (processing_days BETWEEN 0 AND 60);
ALTER TABLE shipping_rates ADD COLUMN cut_off time;

CREATE TABLE shipping_settings (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- In order, with commas.
    working_days text NOT NULL DEFAULT 'mon,tue,wed,thu,fri',
    holidays     date[] NOT NULL DEFAULT '{}',
    version      bigint NOT NULL DEFAULT 1,
    updated_at   timestamptz NOT NULL DEFAULT now()
);
INSERT INTO shipping_settings DEFAULT VALUES;

-- As it was told when the order was placed.
ALTER TABLE shipping_lines ADD COLUMN ships_on date;
ALTER TABLE shipping_lines ADD COLUMN delivered_from date;
ALTER TABLE shipping_lines ADD COLUMN delivered_to date;
