-- A refund of an order that gift cards or store credit paid in part gives back what the payment took first, then the credit.

-- What refunds gave back of it. An order that comes to nothing gives back the rest (state `returned`).
ALTER TABLE order_credits ADD COLUMN returned_minor bigint NOT NULL DEFAULT 0 CHECK (returned_minor BETWEEN 0 AND amount_minor);

-- `amount_minor` goes back to the payment, by the provider; `credit_minor` is back on gift cards and store credit at once. Without the former there
-- is no payment and nothing to wait for.
ALTER TABLE refunds ADD COLUMN credit_minor bigint NOT NULL DEFAULT 0 CHECK (credit_minor >= 0);
ALTER TABLE refunds ALTER COLUMN payment_id DROP NOT NULL;
ALTER TABLE refunds DROP CONSTRAINT refunds_amount_minor_check;
ALTER TABLE refunds ADD CONSTRAINT refunds_amounts CHECK (
    amount_minor >= 0 AND amount_minor + credit_minor > 0 AND (amount_minor = 0) = (payment_id IS NULL)) NOT VALID;
