-- Where products are sold: the shop on the web, a shop floor, an app. What a publishable key sees is what is published on its channel.

CREATE TABLE sales_channels (
    id            uuid PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    -- What is seen without a key, or with one of no channel.
    is_default    boolean NOT NULL DEFAULT false,
    -- New products are published on it.
    publishes_new boolean NOT NULL,
    version       bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX sales_channels_default ON sales_channels (is_default) WHERE is_default;
INSERT INTO sales_channels (id, name, is_default, publishes_new, created_at, updated_at)
VALUES (gen_random_uuid(), 'Online store', true, true, now(), now());

-- No row: never published there.
CREATE TABLE product_publications (
    channel_id      uuid NOT NULL REFERENCES sales_channels ON DELETE CASCADE,
    product_id      uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    -- Whether it is there now. Times that are to come change it when a worker sees them: what shoppers see depends on rows alone.
    visible         boolean NOT NULL,
    publish_at      timestamptz,
    unpublish_at    timestamptz,
    next_attempt_at timestamptz,
    PRIMARY KEY (channel_id, product_id),
    CHECK (unpublish_at > publish_at),
    CHECK (next_attempt_at IS NOT DISTINCT FROM least(publish_at, unpublish_at))
);
CREATE INDEX product_publications_of ON product_publications (product_id, channel_id) WHERE visible;
CREATE INDEX product_publications_product ON product_publications (product_id);
CREATE INDEX product_publications_due ON product_publications (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE TRIGGER product_publications_due_born AFTER INSERT ON product_publications
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_attempt('publication');
CREATE TRIGGER product_publications_due_moved AFTER UPDATE OF next_attempt_at ON product_publications
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('publication');

-- What there is was to be seen by everybody, and stays so.
INSERT INTO product_publications (channel_id, product_id, visible)
SELECT c.id, p.id, true FROM sales_channels c, products p;

-- Whoever makes a product, whatever code it is, publishes it where new products go.
CREATE FUNCTION publish_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO :schema.product_publications (channel_id, product_id, visible)
    SELECT c.id, NEW.id, true FROM :schema.sales_channels c WHERE c.publishes_new
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER products_published AFTER INSERT ON products FOR EACH ROW EXECUTE FUNCTION publish_new();

CREATE TRIGGER sales_channels_seen AFTER INSERT OR UPDATE OR DELETE ON sales_channels
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER product_publications_seen AFTER INSERT OR UPDATE OR DELETE ON product_publications
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();

-- Null: the default channel. A channel with keys that are good does not go; those that ended let it.
ALTER TABLE api_keys ADD COLUMN channel_id uuid REFERENCES sales_channels ON DELETE SET NULL;
CREATE INDEX api_keys_channel ON api_keys (channel_id) WHERE channel_id IS NOT NULL;
