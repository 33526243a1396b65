-- Invoices and credit notes: numbered without a gap, each in its own sequence, and never changed once they are issued.

-- What stands on them about the seller, and when they are issued.
CREATE TABLE invoice_settings (
    only_row           boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- The legal name; the store's name if null.
    seller_name        text CHECK (length(seller_name) BETWEEN 1 AND 200),
    seller_address     jsonb,
    vat_id             text CHECK (length(vat_id) BETWEEN 4 AND 20),
    tax_number         text CHECK (length(tax_number) BETWEEN 1 AND 40),
    registration       text CHECK (length(registration) BETWEEN 1 AND 200),
    footer             text NOT NULL DEFAULT '' CHECK (length(footer) <= 600),
    invoice_prefix     text NOT NULL DEFAULT 'INV-' CHECK (length(invoice_prefix) <= 20),
    credit_note_prefix text NOT NULL DEFAULT 'CN-' CHECK (length(credit_note_prefix) <= 20),
    automatic          boolean NOT NULL DEFAULT false,
    attach_to_mail     boolean NOT NULL DEFAULT false,
    -- Taken last of all and locked to the commit: whoever rolls back gives the number back, so there is no gap. A SEQUENCE would leave one.
    next_invoice_number     bigint NOT NULL DEFAULT 1 CHECK (next_invoice_number > 0),
    next_credit_note_number bigint NOT NULL DEFAULT 1 CHECK (next_credit_note_number > 0),
    version            bigint NOT NULL DEFAULT 1,
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CHECK (invoice_prefix <> credit_note_prefix)
);
INSERT INTO invoice_settings DEFAULT VALUES;

CREATE TABLE invoices (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    number      bigint NOT NULL CHECK (number > 0),
    name        text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 40),
    order_id    uuid NOT NULL REFERENCES orders,
    -- Of a credit note: the refund it is for; null when it is for what was left of a cancelled order.
    refund_id   uuid REFERENCES refunds,
    -- Of a credit note: the invoice it corrects.
    corrects_id uuid REFERENCES invoices,
    issued_on   date NOT NULL,
    currency    text NOT NULL,
    total_minor bigint NOT NULL,
    tax_minor   bigint NOT NULL,
    -- All that it says, as it was then.
    document    jsonb NOT NULL,
    issued_by   text NOT NULL,
    issued_at   timestamptz NOT NULL,
    UNIQUE (kind, number),
    CHECK ((kind = 'credit_note') = (corrects_id IS NOT NULL)),
    CHECK (refund_id IS NULL OR kind = 'credit_note')
);
CREATE UNIQUE INDEX invoices_one_an_order ON invoices (order_id) WHERE kind = 'invoice';
CREATE UNIQUE INDEX invoices_one_a_cancellation ON invoices (order_id) WHERE kind = 'credit_note' AND refund_id IS NULL;
CREATE UNIQUE INDEX invoices_one_a_refund ON invoices (refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX invoices_order ON invoices (order_id, id);
REVOKE UPDATE, DELETE, TRUNCATE ON invoices FROM :role;

-- A mail may bring one along.
ALTER TABLE email_messages ADD COLUMN invoice_id uuid REFERENCES invoices;

-- What built-in roles hold of invoices, in stores that are there already. What else their owners changed stays.
INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, p.object, p.action
FROM roles r JOIN (VALUES
    ('owner', 'invoice', '*'), ('manager', 'invoice', '*'), ('accountant', 'invoice', '*'), ('support', 'invoice', 'view'),
    ('viewer', 'invoice', 'view')
) AS p (role, object, action) ON p.role = r.name
WHERE r.built_in
ON CONFLICT DO NOTHING;
