// The tables of `migrations/control` as diesel sees them; the schema is found by the search path, so no name is qualified.

diesel::table! {
    accounts (id) {
        id -> Uuid,
        email -> Text,
        email_key -> Text,
        name -> Text,
        locale -> Text,
        password_hash -> Nullable<Text>,
        verified_at -> Nullable<Timestamptz>,
        epoch -> BigInt,
        state -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        version -> BigInt,
    }
}

diesel::table! {
    account_secrets (secret_hash) {
        secret_hash -> Bytea,
        account_id -> Uuid,
        purpose -> Text,
        email_key -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        account_id -> Uuid,
        user_agent -> Text,
        network -> Text,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        revoked_because -> Nullable<Text>,
        proved_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    refresh_tokens (token_hash) {
        token_hash -> Bytea,
        session_id -> Uuid,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    throttles (bucket) {
        bucket -> Text,
        window_ends_at -> Timestamptz,
        failures -> Integer,
    }
}

diesel::table! {
    organizations (id) {
        id -> Uuid,
        name -> Text,
        state -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        version -> BigInt,
    }
}

diesel::table! {
    members (id) {
        id -> Uuid,
        organization_id -> Uuid,
        account_id -> Uuid,
        role -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        version -> BigInt,
    }
}

diesel::table! {
    invitations (id) {
        id -> Uuid,
        organization_id -> Uuid,
        email -> Text,
        email_key -> Text,
        role -> Text,
        secret_hash -> Bytea,
        invited_by -> Uuid,
        state -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        closed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    stores (request_id) {
        request_id -> Uuid,
        id -> Nullable<Uuid>,
        organization_id -> Uuid,
        name -> Text,
        handle -> Text,
        country -> Text,
        currency -> Text,
        locale -> Text,
        time_zone -> Text,
        plan -> Text,
        state -> Text,
        purge_after -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        version -> BigInt,
        namespace -> Nullable<Text>,
        resource -> Nullable<Text>,
        resource_uid -> Nullable<Text>,
        managed_by -> Text,
        conflicts -> Jsonb,
    }
}

diesel::table! {
    handles (skeleton) {
        skeleton -> Text,
        handle -> Text,
        organization_id -> Uuid,
        request_id -> Nullable<Uuid>,
        held_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    operations (id) {
        id -> Uuid,
        kind -> Text,
        organization_id -> Uuid,
        store_request_id -> Uuid,
        requested_by -> Nullable<Uuid>,
        state -> Text,
        input -> Jsonb,
        attempts -> Integer,
        available_at -> Timestamptz,
        lease_holder -> Nullable<Uuid>,
        lease_ends_at -> Nullable<Timestamptz>,
        error -> Nullable<Jsonb>,
        result_secret -> Nullable<Jsonb>,
        secret_ends_at -> Nullable<Timestamptz>,
        secret_revealed_at -> Nullable<Timestamptz>,
        traceparent -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
        version -> BigInt,
    }
}

diesel::table! {
    operation_steps (operation_id, position) {
        operation_id -> Uuid,
        position -> Integer,
        name -> Text,
        state -> Text,
        attempts -> Integer,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
        cause -> Nullable<Text>,
        detail -> Nullable<Text>,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> Uuid,
        organization_id -> Uuid,
        position -> BigInt,
        at -> Timestamptz,
        actor -> Text,
        action -> Text,
        target -> Text,
        detail -> Text,
        request_id -> Text,
        prev_hash -> Bytea,
        hash -> Bytea,
    }
}

diesel::table! {
    audit_heads (organization_id) {
        organization_id -> Uuid,
        position -> BigInt,
        hash -> Bytea,
    }
}

diesel::table! {
    messages (id) {
        id -> Uuid,
        template -> Text,
        recipient -> Text,
        subject -> Text,
        text_body -> Nullable<Text>,
        html_body -> Nullable<Text>,
        state -> Text,
        attempts -> Integer,
        available_at -> Timestamptz,
        lease_ends_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    idempotency_keys (principal, route, key) {
        principal -> Text,
        route -> Text,
        key -> Text,
        fingerprint -> Bytea,
        status -> Nullable<Integer>,
        headers -> Nullable<Jsonb>,
        body -> Nullable<Bytea>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    identities (id) {
        id -> Uuid,
        account_id -> Uuid,
        provider -> Text,
        issuer -> Text,
        subject -> Text,
        email -> Nullable<Text>,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
    }
}

diesel::table! {
    sign_in_flows (state_hash) {
        state_hash -> Bytea,
        provider -> Text,
        challenge -> Bytea,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sign_in_tickets (ticket_hash) {
        ticket_hash -> Bytea,
        provider -> Text,
        challenge -> Bytea,
        person -> Jsonb,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(account_secrets -> accounts (account_id));
diesel::joinable!(sessions -> accounts (account_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::joinable!(members -> organizations (organization_id));
diesel::joinable!(members -> accounts (account_id));
diesel::joinable!(invitations -> organizations (organization_id));
diesel::joinable!(stores -> organizations (organization_id));
diesel::joinable!(operations -> stores (store_request_id));
diesel::joinable!(operation_steps -> operations (operation_id));

diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    account_secrets,
    sessions,
    refresh_tokens,
    throttles,
    organizations,
    members,
    invitations,
    stores,
    handles,
    operations,
    operation_steps,
    audit_entries,
    audit_heads,
    messages,
    idempotency_keys
);
