-- Mail a store sends. A row is written in the transaction of the event that asks for it; a worker sends it.

CREATE TABLE email_templates (
    name       text NOT NULL,
    locale     text NOT NULL,
    subject    text NOT NULL,
    body_text  text NOT NULL,
    body_html  text NOT NULL,
    version    bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, locale)
);

-- `message_id` is the Message-ID header: a second sending after a crash is recognisable as the same mail.
CREATE TABLE email_messages (
    id           uuid PRIMARY KEY,
    event_id     uuid,
    template     text NOT NULL,
    recipient    text NOT NULL,
    subject      text NOT NULL,
    body_text    text NOT NULL,
    body_html    text NOT NULL,
    message_id   text NOT NULL UNIQUE,
    state        text NOT NULL CHECK (state IN ('queued', 'sent', 'captured', 'failed')),
    attempts     integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    last_error   text,
    created_at   timestamptz NOT NULL,
    sent_at      timestamptz,
    UNIQUE (event_id, template, recipient)
);
CREATE INDEX email_messages_due ON email_messages (next_attempt_at) WHERE state = 'queued';
