-- Who wants to be told what: that something can be bought again, what becomes of an order, that a cart was left, what a day sold.

CREATE TABLE notice_settings (
    only_row             boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- Staff is told when a level falls to it; null = never.
    low_stock_threshold  bigint DEFAULT 5 CHECK (low_stock_threshold BETWEEN 0 AND 1000000),
    -- Where mails to staff go; the store's contact if null.
    staff_email          text,
    daily_digest         boolean NOT NULL DEFAULT false,
    digest_hour          integer NOT NULL DEFAULT 7 CHECK (digest_hour BETWEEN 0 AND 23),
    -- The last day that was told.
    digest_day           date,
    -- When the next digest is due.
    next_attempt_at      timestamptz,
    abandoned_cart_hours integer DEFAULT 4 CHECK (abandoned_cart_hours BETWEEN 1 AND 168),
    back_in_stock        boolean NOT NULL DEFAULT true,
    version              bigint NOT NULL DEFAULT 1,
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CHECK (NOT daily_digest OR next_attempt_at IS NOT NULL)
);
INSERT INTO notice_settings DEFAULT VALUES;
CREATE TRIGGER notice_settings_due AFTER UPDATE OF next_attempt_at ON notice_settings
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('digest');

-- `pending` until the mailbox agrees; `due` while its mail is to be asked for; `told` when a wish for one mail is fulfilled.
CREATE TABLE subscriptions (
    id              uuid PRIMARY KEY,
    topic           text NOT NULL CHECK (topic IN ('back_in_stock', 'order')),
    email           text NOT NULL,
    email_key       text NOT NULL,
    variant_id      uuid REFERENCES product_variants ON DELETE CASCADE,
    order_id        uuid REFERENCES orders,
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'confirmed', 'due', 'told', 'ended')),
    -- Of the link that confirms it.
    secret_hash     bytea CHECK (length(secret_hash) = 32),
    asked_at        timestamptz NOT NULL,
    confirmed_at    timestamptz,
    next_attempt_at timestamptz,
    created_at      timestamptz NOT NULL,
    CHECK ((variant_id IS NULL) = (topic <> 'back_in_stock') AND (order_id IS NULL) = (topic <> 'order')),
    CHECK ((next_attempt_at IS NOT NULL) = (state = 'due'))
);
CREATE UNIQUE INDEX subscriptions_one ON subscriptions (email_key, topic, coalesce(variant_id, order_id));
CREATE INDEX subscriptions_variant ON subscriptions (variant_id) WHERE state IN ('confirmed', 'due');
CREATE INDEX subscriptions_order ON subscriptions (order_id) WHERE state = 'confirmed';
CREATE INDEX subscriptions_secret ON subscriptions (secret_hash) WHERE secret_hash IS NOT NULL;
CREATE INDEX subscriptions_due ON subscriptions (id) WHERE state = 'due';
CREATE TRIGGER subscriptions_due AFTER UPDATE OF next_attempt_at ON subscriptions
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND OLD.next_attempt_at IS NULL)
    EXECUTE FUNCTION platform.note_next_attempt('subscription');

-- Levels that fell to the threshold, or rose above nothing; a worker looks whether it is still so and states it.
CREATE TABLE stock_crossings (
    item_id         uuid NOT NULL REFERENCES inventory_items ON DELETE CASCADE,
    -- Of the level, whose lock its writer holds: two writers never wait for each other here.
    location_id     uuid NOT NULL REFERENCES locations,
    kind            text NOT NULL CHECK (kind IN ('low', 'back')),
    next_attempt_at timestamptz,
    told_at         timestamptz,
    PRIMARY KEY (item_id, location_id, kind)
);
CREATE INDEX stock_crossings_due ON stock_crossings (item_id) WHERE next_attempt_at IS NOT NULL;
CREATE TRIGGER stock_crossings_due_born AFTER INSERT ON stock_crossings
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_attempt('stock');
CREATE TRIGGER stock_crossings_due AFTER UPDATE OF next_attempt_at ON stock_crossings
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND OLD.next_attempt_at IS NULL)
    EXECUTE FUNCTION platform.note_next_attempt('stock');

CREATE FUNCTION note_stock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before bigint := OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved;
    after  bigint := NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved;
    low    bigint;
BEGIN
    IF before <= 0 AND after > 0 THEN
        INSERT INTO :schema.stock_crossings AS c (item_id, location_id, kind, next_attempt_at)
        VALUES (NEW.item_id, NEW.location_id, 'back', now())
        ON CONFLICT (item_id, location_id, kind) DO UPDATE SET next_attempt_at = now() WHERE c.next_attempt_at IS NULL;
    ELSIF after < before THEN
        SELECT s.low_stock_threshold INTO low FROM :schema.notice_settings s;
        IF after <= low AND before > low THEN
            INSERT INTO :schema.stock_crossings AS c (item_id, location_id, kind, next_attempt_at)
            VALUES (NEW.item_id, NEW.location_id, 'low', now())
            ON CONFLICT (item_id, location_id, kind) DO UPDATE SET next_attempt_at = now() WHERE c.next_attempt_at IS NULL;
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER inventory_levels_noted AFTER UPDATE ON inventory_levels
    FOR EACH ROW WHEN (
        (OLD.on_hand - OLD.unavailable - OLD.committed - OLD.reserved)
            <> (NEW.on_hand - NEW.unavailable - NEW.committed - NEW.reserved))
    EXECUTE FUNCTION note_stock();

-- Carts whose owner wants to be reminded, once.
CREATE TABLE cart_reminders (
    cart_id         uuid PRIMARY KEY REFERENCES carts ON DELETE CASCADE,
    -- Asked for with this cart; else because the customer takes marketing, which is looked at again.
    by_wish         boolean NOT NULL,
    wanted_at       timestamptz NOT NULL,
    next_attempt_at timestamptz,
    told_at         timestamptz
);
CREATE INDEX cart_reminders_due ON cart_reminders (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE TRIGGER cart_reminders_due_born AFTER INSERT ON cart_reminders
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_attempt('reminder');
CREATE TRIGGER cart_reminders_due AFTER UPDATE OF next_attempt_at ON cart_reminders
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('reminder');

-- A customer who takes marketing need not ask for every cart.
CREATE FUNCTION remind_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO :schema.cart_reminders (cart_id, by_wish, wanted_at, next_attempt_at)
    SELECT NEW.id, false, NEW.updated_at, NEW.updated_at + make_interval(hours => s.abandoned_cart_hours)
    FROM :schema.customers c, :schema.notice_settings s
    WHERE c.id = NEW.customer_id AND c.accepts_marketing AND s.abandoned_cart_hours IS NOT NULL
    ON CONFLICT (cart_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER carts_reminded_born AFTER INSERT ON carts
    FOR EACH ROW WHEN (NEW.customer_id IS NOT NULL) EXECUTE FUNCTION remind_customer();
CREATE TRIGGER carts_reminded AFTER UPDATE OF customer_id ON carts
    FOR EACH ROW WHEN (NEW.customer_id IS NOT NULL AND NEW.customer_id IS DISTINCT FROM OLD.customer_id)
    EXECUTE FUNCTION remind_customer();
