-- What delivery costs by weight and by pieces, from when on it is free, and how long it takes.

ALTER TABLE shipping_rates ADD COLUMN min_weight_grams bigint CHECK (min_weight_grams >= 0);
ALTER TABLE shipping_rates ADD COLUMN max_weight_grams bigint CHECK (max_weight_grams >= 0);
ALTER TABLE shipping_rates ADD COLUMN per_piece_minor bigint NOT NULL DEFAULT 0 CHECK (per_piece_minor >= 0);
-- for every begun kilogram
ALTER TABLE shipping_rates ADD COLUMN per_kilogram_minor bigint NOT NULL DEFAULT 0 CHECK (per_kilogram_minor >= 0);
-- from this merchandise total on it costs nothing
ALTER TABLE shipping_rates ADD COLUMN free_from_minor bigint CHECK (free_from_minor >= 0);
ALTER TABLE shipping_rates ADD COLUMN min_days integer CHECK (min_days >= 0);
ALTER TABLE shipping_rates ADD COLUMN max_days integer CHECK (max_days >= 0);
