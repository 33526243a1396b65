-- What providers pay out, and the movements in their own books that payouts are made of.

CREATE TABLE payouts (
    id           uuid PRIMARY KEY,
    provider     text NOT NULL REFERENCES payment_providers,
    -- The provider's name for it.
    reference    text NOT NULL,
    state        text NOT NULL CHECK (state IN ('pending', 'in_transit', 'paid', 'failed', 'canceled')),
    -- Below zero when the provider takes from the bank what it is owed.
    amount_minor bigint NOT NULL,
    currency     text NOT NULL,
    -- Whether the provider tells what is in it.
    itemised     boolean NOT NULL,
    failure_code text CHECK (length(failure_code) <= 100),
    arrives_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    paid_at      timestamptz,
    ended_at     timestamptz,
    -- When the provider last spoke of it.
    heard_at     timestamptz NOT NULL,
    -- When what is in it is looked at; null once it adds up.
    next_poll_at timestamptz,
    UNIQUE (provider, reference)
);
CREATE INDEX payouts_newest ON payouts (created_at DESC, id DESC);
CREATE INDEX payouts_due ON payouts (next_poll_at) WHERE next_poll_at IS NOT NULL;

CREATE TABLE payout_entries (
    id           uuid PRIMARY KEY,
    provider     text NOT NULL REFERENCES payment_providers,
    -- Null until it is paid out.
    payout_id    uuid REFERENCES payouts,
    -- The provider's name for it.
    reference    text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('charge', 'refund', 'dispute', 'fee', 'payout_return', 'adjustment')),
    -- Before the fee; below zero when money left. In the currency of the payout, which may be another than the shopper paid in.
    gross_minor  bigint NOT NULL,
    fee_minor    bigint NOT NULL,
    currency     text NOT NULL,
    -- What the provider says it is about: its own name, and ours as we gave them.
    source       text,
    told_session uuid,
    told_refund  uuid,
    -- How far it is in the books, and with what. No foreign key to the order: its lock is taken before that of an entry, never after.
    booked       text NOT NULL DEFAULT 'not_yet' CHECK (booked IN ('not_yet', 'allocated', 'unallocated')),
    order_id     uuid,
    payment_id   uuid REFERENCES payments,
    refund_id    uuid REFERENCES refunds,
    dispute_id   uuid REFERENCES disputes,
    at           timestamptz NOT NULL,
    UNIQUE (provider, reference)
);
CREATE INDEX payout_entries_payout ON payout_entries (payout_id);
CREATE INDEX payout_entries_payment ON payout_entries (payment_id);

CREATE TRIGGER payouts_due_born AFTER INSERT ON payouts
    FOR EACH ROW WHEN (NEW.next_poll_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_poll('payout');
CREATE TRIGGER payouts_due AFTER UPDATE OF next_poll_at ON payouts
    FOR EACH ROW WHEN (NEW.next_poll_at IS NOT NULL AND NEW.next_poll_at IS DISTINCT FROM OLD.next_poll_at)
    EXECUTE FUNCTION platform.note_next_poll('payout');
