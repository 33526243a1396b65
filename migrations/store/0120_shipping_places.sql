-- A shipping zone is also of provinces, and of postal codes. The most specific zone takes a parcel.

-- `US-CA`: the country, and the province in capitals as addresses name it.
ALTER TABLE shipping_zones ADD COLUMN provinces text[] NOT NULL DEFAULT '{}';
-- `DE:10000:14199`: the country, the first and the last code, letters and digits only, as many at either end.
ALTER TABLE shipping_zones ADD COLUMN postal_codes text[] NOT NULL DEFAULT '{}';
