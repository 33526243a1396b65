-- Pictures to be fetched from addresses of the open internet: by request, and from files of products.
CREATE TABLE image_fetches (
    id              uuid PRIMARY KEY,
    product_id      uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    variant_id      uuid REFERENCES product_variants ON DELETE SET NULL,
    url             text NOT NULL,
    alt             text NOT NULL DEFAULT '',
    -- The place it shall have among the product's pictures, from 0; null: the last.
    position        integer CHECK (position >= 0),
    state           text NOT NULL CHECK (state IN ('queued', 'done', 'failed')),
    attempts        integer NOT NULL DEFAULT 0,
    cause           text,
    image_id        uuid REFERENCES product_images ON DELETE SET NULL,
    next_attempt_at timestamptz,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    CHECK ((next_attempt_at IS NOT NULL) = (state = 'queued')),
    CHECK ((finished_at IS NULL) = (state = 'queued'))
);
-- The same picture is fetched once, however often a file is sent.
CREATE UNIQUE INDEX image_fetches_once ON image_fetches (product_id, url) WHERE state = 'queued';
CREATE INDEX image_fetches_due ON image_fetches (next_attempt_at, id) WHERE state = 'queued';
CREATE INDEX image_fetches_finished ON image_fetches (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX image_fetches_variant ON image_fetches (variant_id) WHERE variant_id IS NOT NULL;
CREATE INDEX image_fetches_image ON image_fetches (image_id) WHERE image_id IS NOT NULL;
CREATE TRIGGER image_fetches_due_born AFTER INSERT ON image_fetches
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_attempt('picture');
CREATE TRIGGER image_fetches_due AFTER UPDATE OF next_attempt_at ON image_fetches
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('picture');
