-- Where a product belongs: a tree, and one place in it for each product. Depth and the absence of circles are held by whoever changes the tree,
-- one at a time (LOCK TABLE).
CREATE TABLE categories (
    id         uuid PRIMARY KEY,
    parent_id  uuid REFERENCES categories CHECK (parent_id <> id),
    handle     text NOT NULL UNIQUE,
    title      text NOT NULL,
    -- Among those of the same parent; gaps are fine.
    position   integer NOT NULL,
    version    bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (parent_id, position) DEFERRABLE INITIALLY DEFERRED
);
CREATE TRIGGER categories_seen AFTER INSERT OR UPDATE OR DELETE ON categories
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();

ALTER TABLE products ADD COLUMN category_id uuid;
ALTER TABLE products ADD CONSTRAINT products_category_id_fkey FOREIGN KEY (category_id) REFERENCES categories NOT VALID;
CREATE INDEX products_category ON products (category_id) WHERE category_id IS NOT NULL;
