-- Several locations: what each is, what an item asks of its stock everywhere, and rows of their own for items that many buy at once.

ALTER TABLE locations ADD COLUMN pickup boolean NOT NULL DEFAULT false;
ALTER TABLE locations ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE locations ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
-- A bucket: a part of a location's shelf that only stock knows of. Its levels are levels like any other, so that whoever reserves, sends or
-- gives back need not know; what people see is the location with all of its buckets.
ALTER TABLE locations ADD COLUMN bucket_of uuid REFERENCES locations;
ALTER TABLE locations ADD COLUMN bucket integer;
ALTER TABLE locations ADD CONSTRAINT locations_bucket CHECK ((bucket_of IS NULL) = (bucket IS NULL)) NOT VALID;
CREATE UNIQUE INDEX locations_buckets ON locations (bucket_of, bucket) WHERE bucket_of IS NOT NULL;

-- `safety_stock`: pieces that checkouts leave at each location. `backorder_limit`: how many may be promised beyond the stock where the variant
-- is sold without regard to it; null = any number. `low_stock_threshold`: null = the store's. `buckets`: 0 = one row for each location.
ALTER TABLE inventory_items ADD COLUMN safety_stock bigint NOT NULL DEFAULT 0;
ALTER TABLE inventory_items ADD COLUMN backorder_limit bigint;
ALTER TABLE inventory_items ADD COLUMN low_stock_threshold bigint;
ALTER TABLE inventory_items ADD COLUMN buckets integer NOT NULL DEFAULT 0;
ALTER TABLE inventory_items ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE inventory_items ADD CONSTRAINT inventory_items_bounds CHECK (
    safety_stock BETWEEN 0 AND 999999999 AND backorder_limit BETWEEN 1 AND 999999999
    AND low_stock_threshold BETWEEN 0 AND 1000000 AND (buckets = 0 OR buckets BETWEEN 2 AND 64)) NOT VALID;

-- The item's, where its pieces lie: none in buckets.
ALTER TABLE inventory_levels ADD COLUMN safety_stock bigint NOT NULL DEFAULT 0;
-- Pieces that came from the location's other rows, less those that went there: what changes it changes nothing for anybody.
ALTER TABLE inventory_levels ADD COLUMN dealt bigint NOT NULL DEFAULT 0;
ALTER TABLE inventory_levels ADD CONSTRAINT inventory_levels_safe CHECK (safety_stock >= 0) NOT VALID;

-- `sent` and `arrived`: between locations. `dealt`: between a location and its buckets, never seen by people.
ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_kind_check;
ALTER TABLE stock_movements ADD CONSTRAINT stock_movements_kind_check CHECK (kind IN ('received', 'reserved', 'unreserved', 'committed',
    'released', 'shipped', 'restocked', 'adjusted', 'sent', 'arrived', 'dealt')) NOT VALID;

-- Whether there is any for sale is on shoppers' pages; what is kept back is not for sale.
DROP TRIGGER inventory_levels_crossed ON inventory_levels;
CREATE TRIGGER inventory_levels_crossed AFTER UPDATE ON inventory_levels
    FOR EACH ROW WHEN (
        OLD.dealt = NEW.dealt
        AND (OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved - OLD.safety_stock)
            <> (NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved - NEW.safety_stock)
        AND least(OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved - OLD.safety_stock,
                  NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved - NEW.safety_stock) <= 0)
    EXECUTE FUNCTION platform.catalogue_changed();

-- An item may lie in several places. It is back when it was nowhere else; and none of them need cross the line to low when all together do:
-- there every fall below it is noted, and the worker adds up. The item's own threshold counts before the store's.
CREATE OR REPLACE FUNCTION note_stock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before bigint := OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved - OLD.safety_stock;
    after  bigint := NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved - NEW.safety_stock;
    low    bigint;
BEGIN
    IF before <= 0 AND after > 0 THEN
        IF EXISTS (
            SELECT FROM :schema.inventory_levels l WHERE l.item_id = NEW.item_id AND l.location_id <> NEW.location_id
                AND l.on_hand - l.unavailable - l.committed - l.reserved - l.safety_stock > 0)
        THEN
            RETURN NULL;
        END IF;
        INSERT INTO :schema.stock_crossings AS c (item_id, location_id, kind, next_attempt_at)
        VALUES (NEW.item_id, NEW.location_id, 'back', now())
        ON CONFLICT (item_id, location_id, kind) DO UPDATE SET next_attempt_at = now() WHERE c.next_attempt_at IS NULL;
    ELSIF after < before THEN
        SELECT coalesce(i.low_stock_threshold, s.low_stock_threshold) INTO low
        FROM :schema.notice_settings s, :schema.inventory_items i WHERE i.id = NEW.item_id;
        IF after <= low AND (before > low OR EXISTS (
            SELECT FROM :schema.inventory_levels l WHERE l.item_id = NEW.item_id AND l.location_id <> NEW.location_id))
        THEN
            INSERT INTO :schema.stock_crossings AS c (item_id, location_id, kind, next_attempt_at)
            VALUES (NEW.item_id, NEW.location_id, 'low', now())
            ON CONFLICT (item_id, location_id, kind) DO UPDATE SET next_attempt_at = now()
            WHERE c.next_attempt_at IS NULL AND (before > low OR c.told_at IS NULL OR c.told_at < now() - interval '1 day');
        END IF;
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER inventory_levels_noted ON inventory_levels;
CREATE TRIGGER inventory_levels_noted AFTER UPDATE ON inventory_levels
    FOR EACH ROW WHEN (
        OLD.dealt = NEW.dealt
        AND (OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved - OLD.safety_stock)
            <> (NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved - NEW.safety_stock))
    EXECUTE FUNCTION note_stock();
