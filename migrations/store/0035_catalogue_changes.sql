-- Whatever changes what shoppers see of the catalogue tells every runtime's read cache, whichever code changed it: one notification a
-- transaction, when it commits. A new table that shoppers' pages are made of gets the same trigger.
CREATE TRIGGER products_seen AFTER INSERT OR UPDATE OR DELETE ON products
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER product_redirects_seen AFTER INSERT OR UPDATE OR DELETE ON product_redirects
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER product_options_seen AFTER INSERT OR UPDATE OR DELETE ON product_options
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER product_option_values_seen AFTER INSERT OR UPDATE OR DELETE ON product_option_values
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER product_variants_seen AFTER INSERT OR UPDATE OR DELETE ON product_variants
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER prices_seen AFTER INSERT OR UPDATE OR DELETE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER product_images_seen AFTER INSERT OR UPDATE OR DELETE ON product_images
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER collections_seen AFTER INSERT OR UPDATE OR DELETE ON collections
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER collection_products_seen AFTER INSERT OR UPDATE OR DELETE ON collection_products
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER store_settings_seen AFTER UPDATE ON store_settings
    FOR EACH ROW WHEN (NEW.currency <> OLD.currency) EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER locations_seen AFTER UPDATE ON locations
    FOR EACH ROW WHEN (NEW.active <> OLD.active) EXECUTE FUNCTION platform.catalogue_changed();

-- How much there is, is not on those pages; whether there is any is. So a sale tells only when it takes the last piece.
CREATE TRIGGER inventory_levels_crossed AFTER UPDATE ON inventory_levels
    FOR EACH ROW WHEN (
        (OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved)
            <> (NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved)
        AND least(OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved,
                  NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved) <= 0)
    EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER inventory_levels_made AFTER INSERT OR DELETE ON inventory_levels
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
