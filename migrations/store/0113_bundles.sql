-- Bundles: variants that are made of other variants' stock. A component is no bundle itself, so there are no circles; whoever changes bundles
-- has the table alone (LOCK TABLE).
CREATE TABLE bundle_components (
    -- The bundle and its inventory item, by which carts and stock know it.
    variant_id   uuid NOT NULL REFERENCES product_variants ON DELETE CASCADE,
    bundle_id    uuid NOT NULL,
    -- What it is made of; while it is, that stays.
    component_id uuid NOT NULL REFERENCES product_variants,
    item_id      uuid NOT NULL,
    -- Pieces of it in one piece of the bundle.
    quantity     integer NOT NULL CHECK (quantity BETWEEN 1 AND 100),
    position     integer NOT NULL,
    -- When its stock last made the bundle available or took it off sale.
    crossed_at   timestamptz,
    PRIMARY KEY (variant_id, component_id)
);
CREATE INDEX bundle_components_bundle ON bundle_components (bundle_id);
CREATE INDEX bundle_components_component ON bundle_components (component_id);
CREATE INDEX bundle_components_item ON bundle_components (item_id);
CREATE TRIGGER bundle_components_seen AFTER INSERT OR UPDATE OR DELETE ON bundle_components
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();

-- Of a component there are enough for a bundle again.
ALTER TABLE stock_crossings DROP CONSTRAINT stock_crossings_kind_check;
ALTER TABLE stock_crossings ADD CONSTRAINT stock_crossings_kind_check CHECK (kind IN ('low', 'back', 'bundle')) NOT VALID;

-- Shoppers' pages say whether there is a bundle. So a sale of a component tells only when there are too few for another one, or enough again.
CREATE FUNCTION note_bundles() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    after  bigint;
    before bigint;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM :schema.bundle_components b WHERE b.item_id = NEW.item_id) THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(greatest(l.on_hand - l.unavailable - l.committed - l.reserved - l.safety_stock,
                                  least(l.on_hand - l.unavailable - l.committed - l.reserved, 0))), 0) INTO after
    FROM :schema.inventory_levels l JOIN :schema.locations o ON o.id = l.location_id AND o.active WHERE l.item_id = NEW.item_id;
    before := after - greatest(NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved - NEW.safety_stock,
                               least(NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved, 0))
                    + greatest(OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved - OLD.safety_stock,
                               least(OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved, 0));
    UPDATE :schema.bundle_components SET crossed_at = now()
    WHERE item_id = NEW.item_id AND (before >= quantity) <> (after >= quantity);
    -- Who waits for a bundle is told by whoever looks whether it is there. By the component, whose level's lock is held: nobody waits here.
    IF EXISTS (SELECT 1 FROM :schema.bundle_components b WHERE b.item_id = NEW.item_id AND before < b.quantity AND after >= b.quantity) THEN
        INSERT INTO :schema.stock_crossings AS c (item_id, location_id, kind, next_attempt_at)
        VALUES (NEW.item_id, NEW.location_id, 'bundle', now())
        ON CONFLICT (item_id, location_id, kind) DO UPDATE SET next_attempt_at = now() WHERE c.next_attempt_at IS NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER inventory_levels_bundled AFTER UPDATE ON inventory_levels
    FOR EACH ROW WHEN (
        (OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved, OLD.safety_stock)
            IS DISTINCT FROM (NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved, NEW.safety_stock))
    EXECUTE FUNCTION note_bundles();

-- What one piece of the line was made of when it was bought; null for what is no bundle:
-- [{"item_id", "variant_id", "quantity", "title", "variant_title", "sku"}].
ALTER TABLE order_lines ADD COLUMN components jsonb;
