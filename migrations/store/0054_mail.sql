-- The store's own words and looks in mails, who must not be written to, and what became of each mail.

ALTER TABLE email_templates ADD COLUMN updated_by text NOT NULL DEFAULT '';

-- Every text there ever was, so that one can go back. `version` goes on counting after a template was deleted.
CREATE TABLE email_template_versions (
    name       text NOT NULL,
    locale     text NOT NULL,
    version    bigint NOT NULL,
    subject    text NOT NULL,
    body_text  text NOT NULL,
    body_html  text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (name, locale, version)
);
INSERT INTO email_template_versions (name, locale, version, subject, body_text, body_html, created_by, created_at)
SELECT name, locale, version, subject, body_text, body_html, updated_by, updated_at FROM email_templates;
REVOKE UPDATE, DELETE, TRUNCATE ON email_template_versions FROM :role;

ALTER TABLE email_messages
    ADD COLUMN locale          text NOT NULL DEFAULT 'en',
    -- What the suppression list is held against: people who unsubscribed still get what they must have.
    ADD COLUMN purpose         text NOT NULL DEFAULT 'transactional' CHECK (purpose IN ('transactional', 'marketing')),
    -- Where one click ends such mails (RFC 8058).
    ADD COLUMN unsubscribe_url text,
    -- The mail that this one says again.
    ADD COLUMN again           uuid;
ALTER TABLE email_messages DROP CONSTRAINT email_messages_state_check;
ALTER TABLE email_messages ADD CONSTRAINT email_messages_state_check
    CHECK (state IN ('queued', 'sent', 'captured', 'failed', 'suppressed', 'bounced')) NOT VALID;
CREATE INDEX email_messages_recipient ON email_messages (lower(recipient), id);

-- Addresses that are not written to. `unsubscribed` holds back marketing only, everything else all mail.
CREATE TABLE email_suppressions (
    email_key  text PRIMARY KEY,
    email      text NOT NULL,
    reason     text NOT NULL CHECK (reason IN ('bounced', 'complained', 'unsubscribed', 'manual')),
    detail     text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL
);

-- How mails look and whom they are from. The private key is sealed with a key that is not in the database.
CREATE TABLE mail_settings (
    only_row           boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    logo_url           text,
    accent_color       text NOT NULL DEFAULT '#1a56db' CHECK (accent_color ~ '^#[0-9a-f]{6}$'),
    footer             text NOT NULL DEFAULT '',
    sender_name        text,
    sender_email       text,
    -- From this address only once its owner has followed a link that was sent there.
    sender_verified_at timestamptz,
    sender_secret_hash bytea CHECK (length(sender_secret_hash) = 32),
    sender_secret_until timestamptz,
    reply_to           text,
    dkim_domain        text,
    dkim_selector      text,
    dkim_public        text,
    dkim_sealed        bytea,
    dkim_sealed_by     text,
    dkim_enabled       boolean NOT NULL DEFAULT false CHECK (NOT dkim_enabled OR dkim_sealed IS NOT NULL),
    -- Signs what a mail service tells about bounces.
    report_secret      bytea,
    version            bigint NOT NULL DEFAULT 1,
    updated_at         timestamptz NOT NULL DEFAULT now()
);
INSERT INTO mail_settings DEFAULT VALUES;
