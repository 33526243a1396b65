-- Words by which staff finds orders.
ALTER TABLE orders ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
CREATE INDEX orders_by_tag ON orders USING gin (tags);
