-- Collections by rule. What is in them is kept in `collection_products` like what people picked, so that whoever reads a collection, be it a
-- shopper's page or a discount, need not know how it came there.

-- Null: people pick. Else 1 to 60 rules: [{"field": "tag", "relation": "equals", "text": "summer"}].
ALTER TABLE collections ADD COLUMN rules jsonb;
ALTER TABLE collections ADD COLUMN match_any boolean NOT NULL DEFAULT false;
CREATE INDEX collections_by_rule ON collections (id) WHERE rules IS NOT NULL;

-- Whose turn it is: who changes a product shares the row `rules`, who changes rules has it alone. So neither misses what the other one does
-- at the same moment. Taken before any product and any collection.
CREATE TABLE catalogue_turns (
    name text PRIMARY KEY CHECK (name = 'rules')
);
INSERT INTO catalogue_turns (name) VALUES ('rules');

-- A renamed collection still answers under its earlier handles.
CREATE TABLE collection_redirects (
    handle        text PRIMARY KEY,
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE
);
CREATE INDEX collection_redirects_collection ON collection_redirects (collection_id);
CREATE TRIGGER collection_redirects_seen AFTER INSERT OR UPDATE OR DELETE ON collection_redirects
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
