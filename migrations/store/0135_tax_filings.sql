-- What the tax provider has to be told of orders: that they stand, what of them went back, that they came to nothing.
-- `id` is the event's that says so. No `next_attempt_at`: it was told, or nobody tries any more.
CREATE TABLE tax_filings (
    id              uuid PRIMARY KEY,
    order_id        uuid NOT NULL REFERENCES orders,
    refund_id       uuid REFERENCES refunds,
    step            text NOT NULL CHECK (step IN ('commit', 'refund', 'void')),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    filed_at        timestamptz,
    last_error      text,
    created_at      timestamptz NOT NULL,
    CHECK ((step = 'refund') = (refund_id IS NOT NULL))
);
CREATE UNIQUE INDEX tax_filings_once ON tax_filings (order_id, step, coalesce(refund_id, order_id));
CREATE INDEX tax_filings_due ON tax_filings (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE TRIGGER tax_filings_due_born AFTER INSERT ON tax_filings
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_attempt('tax');
CREATE TRIGGER tax_filings_due AFTER UPDATE OF next_attempt_at ON tax_filings
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('tax');
