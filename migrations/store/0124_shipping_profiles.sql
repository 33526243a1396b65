-- Goods that are delivered in a way of their own. Without a profile, in the general one.

CREATE TABLE shipping_profiles (
    id         uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Without their profile, products are of the general one again; zones are not: they would deliver what they were not made for.
ALTER TABLE products
    ADD COLUMN shipping_profile_id uuid,
    ADD CONSTRAINT products_shipping_profile_id_fkey FOREIGN KEY (shipping_profile_id) REFERENCES shipping_profiles ON DELETE SET NULL NOT VALID;
CREATE INDEX products_shipping_profile ON products (shipping_profile_id) WHERE shipping_profile_id IS NOT NULL;
ALTER TABLE shipping_zones
    ADD COLUMN profile_id uuid,
    ADD CONSTRAINT shipping_zones_profile_id_fkey FOREIGN KEY (profile_id) REFERENCES shipping_profiles ON DELETE CASCADE NOT VALID;
CREATE INDEX shipping_zones_profile ON shipping_zones (profile_id) WHERE profile_id IS NOT NULL;

-- What was chosen, the last choice first: one for each group of what is delivered together. `shipping_rate_id` is the last.
ALTER TABLE carts ADD COLUMN shipping_rate_ids uuid[] NOT NULL DEFAULT '{}';
