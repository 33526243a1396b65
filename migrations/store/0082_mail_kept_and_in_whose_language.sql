-- Whoever waits for something, follows an order or is given a card reads a language too, if it was said. Null in rows of programs that do not ask.

ALTER TABLE subscriptions ADD COLUMN locale text;
ALTER TABLE credit_letters ADD COLUMN locale text;

-- What a mail said is kept for a while, that there was one for longer: housekeeping finds the oldest of either. Each row is in one of the two.
CREATE INDEX email_messages_said ON email_messages (created_at) WHERE body_text <> '' OR body_html <> '';
CREATE INDEX email_messages_silent ON email_messages (created_at) WHERE body_text = '' AND body_html = '';
