-- Whatever sets a time in this store also tells the workers of the platform, in the same transaction: nobody has to visit to find out.

CREATE TRIGGER reservations_due AFTER INSERT ON reservations
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION platform.note_expiry('checkout');

CREATE TRIGGER payment_sessions_due_born AFTER INSERT ON payment_sessions
    FOR EACH ROW WHEN (NEW.next_poll_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_poll('checkout');
CREATE TRIGGER payment_sessions_due AFTER UPDATE OF next_poll_at ON payment_sessions
    FOR EACH ROW WHEN (NEW.next_poll_at IS NOT NULL AND NEW.next_poll_at IS DISTINCT FROM OLD.next_poll_at)
    EXECUTE FUNCTION platform.note_next_poll('checkout');

CREATE TRIGGER refunds_due_born AFTER INSERT ON refunds
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_attempt('checkout');
CREATE TRIGGER refunds_due AFTER UPDATE OF next_attempt_at ON refunds
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('checkout');

CREATE TRIGGER email_messages_due_born AFTER INSERT ON email_messages
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_attempt('mail');
CREATE TRIGGER email_messages_due AFTER UPDATE OF next_attempt_at ON email_messages
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('mail');

-- What was waiting before there were these triggers, and the first housekeeping, spread over its interval.
SELECT platform.note_due(':schema', 'checkout', expires_at) FROM reservations WHERE state = 'held';
SELECT platform.note_due(':schema', 'checkout', next_poll_at) FROM payment_sessions WHERE next_poll_at IS NOT NULL;
SELECT platform.note_due(':schema', 'checkout', next_attempt_at) FROM refunds WHERE state = 'pending';
SELECT platform.note_due(':schema', 'mail', next_attempt_at) FROM email_messages WHERE state = 'queued';
SELECT platform.note_due(':schema', 'housekeeping', now() + random() * interval '6 hours');
