-- What a shop says beside what it sells: pages, menus, policies.

CREATE TABLE pages (
    id              uuid PRIMARY KEY,
    handle          text NOT NULL UNIQUE,
    title           text NOT NULL,
    body_html       text NOT NULL DEFAULT '',
    seo_title       text,
    seo_description text,
    -- [{"locale", "title", "body_html", "seo_title", "seo_description"}]
    translations    jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(translations) = 'array'),
    status          text NOT NULL CHECK (status IN ('draft', 'scheduled', 'published')),
    -- Since when shoppers see it, or from when on they will.
    published_at    timestamptz,
    next_attempt_at timestamptz,
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CHECK ((status = 'draft') = (published_at IS NULL)),
    CHECK ((status = 'scheduled') = (next_attempt_at IS NOT NULL))
);
CREATE INDEX pages_newest ON pages (created_at DESC, id DESC);
CREATE INDEX pages_due ON pages (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE TRIGGER pages_due_born AFTER INSERT ON pages
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_attempt('page');
CREATE TRIGGER pages_due_moved AFTER UPDATE OF next_attempt_at ON pages
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('page');

-- A renamed page still answers under its earlier handles.
CREATE TABLE page_redirects (
    handle  text PRIMARY KEY,
    page_id uuid NOT NULL REFERENCES pages ON DELETE CASCADE
);
CREATE INDEX page_redirects_page ON page_redirects (page_id);

CREATE TABLE menus (
    id         uuid PRIMARY KEY,
    handle     text NOT NULL UNIQUE,
    title      text NOT NULL,
    -- All of it, parents before their children: [{"key", "parent", "depth", "title", "titles", "kind", "target", "address"}]. What an item leads
    -- to may be gone; then shoppers do not see it.
    items      jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(items) = 'array'),
    version    bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Every version there ever was: whoever agreed to one can read it. The last one is in force; without a text, none is.
CREATE TABLE policy_versions (
    kind         text NOT NULL CHECK (kind IN ('refund', 'privacy', 'terms', 'shipping')),
    number       integer NOT NULL CHECK (number > 0),
    title        text NOT NULL,
    body_html    text,
    translations jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(translations) = 'array'),
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (kind, number)
);
REVOKE UPDATE, DELETE, TRUNCATE ON policy_versions FROM :role;

CREATE TRIGGER pages_seen AFTER INSERT OR UPDATE OR DELETE ON pages
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER page_redirects_seen AFTER INSERT OR UPDATE OR DELETE ON page_redirects
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER menus_seen AFTER INSERT OR UPDATE OR DELETE ON menus
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
CREATE TRIGGER policy_versions_seen AFTER INSERT ON policy_versions
    FOR EACH STATEMENT EXECUTE FUNCTION platform.catalogue_changed();
