-- What 0124 promised of rows that were there already.
ALTER TABLE products VALIDATE CONSTRAINT products_shipping_profile_id_fkey;
ALTER TABLE shipping_zones VALIDATE CONSTRAINT shipping_zones_profile_id_fkey;
