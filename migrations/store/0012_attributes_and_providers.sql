-- What a shop wants to know with a cart (gift wrapping, a delivery day, a campaign), as names and words; the order keeps a copy.
ALTER TABLE carts ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}';
ALTER TABLE orders ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}';

-- Staff changes a provider only as it was seen.
ALTER TABLE payment_providers ADD COLUMN version bigint NOT NULL DEFAULT 1;
