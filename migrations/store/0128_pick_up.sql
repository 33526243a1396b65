-- Shoppers collect what they bought where it lies.

ALTER TABLE locations ADD COLUMN pickup_instructions text NOT NULL DEFAULT '';
ALTER TABLE locations ADD COLUMN opening_hours text NOT NULL DEFAULT '';
ALTER TABLE locations ADD COLUMN pickup_ready_hours integer NOT NULL DEFAULT 24 CHECK (pickup_ready_hours BETWEEN 0 AND 720);

-- Where it is collected, if it is.
ALTER TABLE shipping_lines ADD COLUMN pickup_location_id uuid;
