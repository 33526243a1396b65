-- Files of pictures: what there is of them, and what is still to be put away. The bytes are in an object store, or here where there is none.
-- Pictures from before are in `media_blobs` and stay there.

CREATE TABLE media_objects (
    -- In the object's name; never used again.
    id              uuid PRIMARY KEY,
    content_type    text NOT NULL,
    bytes           bigint NOT NULL CHECK (bytes > 0),
    -- Null where an object store has them.
    content         bytea,
    -- `pending`: announced, so that what is never finished is found and put away.
    state           text NOT NULL CHECK (state IN ('pending', 'kept', 'gone')),
    next_attempt_at timestamptz,
    created_at      timestamptz NOT NULL,
    CHECK ((next_attempt_at IS NULL) = (state = 'kept'))
);
CREATE INDEX media_objects_due ON media_objects (id) WHERE state <> 'kept';
CREATE TRIGGER media_objects_due_born AFTER INSERT ON media_objects
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_attempt('media');
CREATE TRIGGER media_objects_due AFTER UPDATE OF next_attempt_at ON media_objects
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('media');

-- How many bytes they have together. Whoever adds some holds the row until the transaction ends, so nobody passes the plan's limit.
CREATE TABLE media_account (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    bytes bigint NOT NULL CHECK (bytes >= 0)
);
INSERT INTO media_account (bytes) SELECT coalesce(sum(octet_length(b.bytes)), 0) FROM media_blobs b;

-- `object_id` null: from before. `source_url`: where a picture was fetched from, so that it is not fetched again.
ALTER TABLE product_images ADD COLUMN object_id uuid REFERENCES media_objects;
ALTER TABLE product_images ADD COLUMN source_url text;
CREATE UNIQUE INDEX product_images_object ON product_images (object_id) WHERE object_id IS NOT NULL;

-- A file goes with its picture, whoever deletes that. A minute later, so that a size that is being made of it is put away too.
CREATE FUNCTION let_media_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH let AS (
        UPDATE :schema.media_objects m
        SET state = 'gone', content = NULL, next_attempt_at = now() + interval '1 minute'
        FROM gone g WHERE m.id = g.object_id
        RETURNING m.bytes
    )
    UPDATE :schema.media_account a SET bytes = greatest(a.bytes - l.bytes, 0)
    FROM (SELECT sum(let.bytes) AS bytes FROM let) l WHERE l.bytes > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER product_images_let_go AFTER DELETE ON product_images
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION let_media_go();

CREATE FUNCTION let_blobs_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE :schema.media_account a SET bytes = greatest(a.bytes - l.bytes, 0)
    FROM (SELECT sum(octet_length(g.bytes)) AS bytes FROM gone g) l WHERE l.bytes > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER media_blobs_let_go AFTER DELETE ON media_blobs
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION let_blobs_go();
