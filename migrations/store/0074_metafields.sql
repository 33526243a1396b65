-- What a store wants to say of its products, their variants and its collections beyond what everybody says: defined once, then held to the
-- definition at every write.
CREATE TABLE metafield_definitions (
    id          uuid PRIMARY KEY,
    owner       text NOT NULL CHECK (owner IN ('product', 'variant', 'collection')),
    namespace   text NOT NULL,
    key         text NOT NULL,
    name        text NOT NULL,
    description text NOT NULL DEFAULT '',
    kind        text NOT NULL CHECK (kind IN ('text', 'long_text', 'integer', 'decimal', 'boolean', 'date', 'date_time', 'url', 'color', 'json')),
    is_list     boolean NOT NULL DEFAULT false,
    -- {"min", "max", "choices"}
    limits      jsonb NOT NULL DEFAULT '{}',
    -- Whether shoppers see it.
    shown       boolean NOT NULL DEFAULT true,
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    UNIQUE (owner, namespace, key)
);

-- A variant's names its product, too: reading a product reads all of them by one index.
CREATE TABLE metafields (
    definition_id uuid NOT NULL REFERENCES metafield_definitions ON DELETE CASCADE,
    product_id    uuid REFERENCES products ON DELETE CASCADE,
    variant_id    uuid REFERENCES product_variants ON DELETE CASCADE,
    collection_id uuid REFERENCES collections ON DELETE CASCADE,
    value         jsonb NOT NULL,
    UNIQUE NULLS NOT DISTINCT (definition_id, product_id, variant_id, collection_id),
    CHECK ((product_id IS NULL) <> (collection_id IS NULL)),
    CHECK (variant_id IS NULL OR product_id IS NOT NULL)
);
CREATE INDEX metafields_product ON metafields (product_id) WHERE product_id IS NOT NULL;
CREATE INDEX metafields_variant ON metafields (variant_id) WHERE variant_id IS NOT NULL;
CREATE INDEX metafields_collection ON metafields (collection_id) WHERE collection_id IS NOT NULL;
CREATE TRIGGER metafield_definitions_seen AFTER INSERT OR UPDATE OR DELETE ON metafield_definitions
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER metafields_seen AFTER INSERT OR UPDATE OR DELETE ON metafields
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
