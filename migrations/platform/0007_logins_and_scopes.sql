-- A store that has pods of its own has a database login of its own: two roles that take turns, so that a password can be
-- replaced without a failed login. And where an owner lives, so that retained data is only taken up from the same place.

ALTER TABLE store_ledger
    -- For a Store object its namespace; who may take up the data once the owner is gone.
    ADD COLUMN owner_scope     text        NULL,
    -- Which of the two logins is in force; null = the store has none.
    ADD COLUMN login_slot      smallint    NULL CHECK (login_slot IN (1, 2)),
    -- Grows with every password: pods that were given an older one are replaced.
    ADD COLUMN login_version   integer     NOT NULL DEFAULT 0,
    ADD COLUMN login_issued_at timestamptz NULL,
    -- The login before, still good until no pod uses it.
    ADD COLUMN login_retiring  smallint    NULL CHECK (login_retiring IN (1, 2)),
    ADD CHECK (login_retiring IS NULL OR login_retiring <> login_slot);
