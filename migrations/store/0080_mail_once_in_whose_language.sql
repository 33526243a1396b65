-- One mail of a kind for an event, or one in each slot of it where several people are told. The recipient cannot say that: whoever is forgotten
-- is taken out of the row, and two who are forgotten would look like one. Null in rows of programs that know no slots.

ALTER TABLE email_messages ADD COLUMN slot text;
ALTER TABLE email_messages DROP CONSTRAINT email_messages_event_id_template_recipient_key;
CREATE UNIQUE INDEX email_messages_once ON email_messages (event_id, template, slot);

-- The language a shopper reads, if they said so; mails about an order are in the one it was bought in.
ALTER TABLE carts ADD COLUMN locale text;
ALTER TABLE customers ADD COLUMN locale text;
ALTER TABLE orders ADD COLUMN locale text;
