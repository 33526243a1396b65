-- Accounts at providers are asked what they paid out, from when their keys are given: so a lost webhook is made up for.

ALTER TABLE payment_credentials ADD COLUMN next_poll_at timestamptz;
ALTER TABLE payment_credentials ALTER COLUMN next_poll_at SET DEFAULT now();

CREATE TRIGGER payment_credentials_due_born AFTER INSERT ON payment_credentials
    FOR EACH ROW WHEN (NEW.next_poll_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_poll('payout');
CREATE TRIGGER payment_credentials_due AFTER UPDATE OF next_poll_at ON payment_credentials
    FOR EACH ROW WHEN (NEW.next_poll_at IS NOT NULL AND NEW.next_poll_at IS DISTINCT FROM OLD.next_poll_at)
    EXECUTE FUNCTION platform.note_next_poll('payout');

-- Keys that are there already, spread over the interval.
UPDATE payment_credentials SET next_poll_at = now() + random() * interval '6 hours';
