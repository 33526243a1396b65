-- Through which sales channel a cart was made and its order bought.

-- Null: the default one; for a draft order, none. A channel that goes leaves its carts to the default one.
ALTER TABLE carts
    ADD COLUMN channel_id uuid,
    ADD CONSTRAINT carts_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES sales_channels ON DELETE SET NULL NOT VALID;
CREATE INDEX carts_channel ON carts (channel_id) WHERE channel_id IS NOT NULL;

-- A copy, as all that was agreed: it stays when the channel is renamed or goes. Null for a draft order, and what older code wrote.
ALTER TABLE orders
    ADD COLUMN channel_id uuid,
    ADD COLUMN channel_name text,
    ADD CONSTRAINT orders_channel_named CHECK ((channel_id IS NULL) = (channel_name IS NULL)) NOT VALID;
CREATE INDEX orders_channel ON orders (channel_id, created_at DESC, id DESC) WHERE channel_id IS NOT NULL;
