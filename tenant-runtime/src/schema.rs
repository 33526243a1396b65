//! The tables that are asked in diesel's own words: those of staff and of mails. Every other statement is SQL. Written by hand after
//! `migrations/store`: a column that is added there and used here is added here.

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        kind -> Text,
        mode -> Text,
        name -> Text,
        prefix -> Text,
        hash -> Bytea,
        scopes -> Array<Text>,
        created_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        created_by -> Text,
        allowed_origins -> Array<Text>,
        allowed_networks -> Array<Text>,
        rotated_from -> Nullable<Uuid>,
        channel_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    email_messages (id) {
        id -> Uuid,
        event_id -> Nullable<Uuid>,
        template -> Text,
        recipient -> Text,
        subject -> Text,
        body_text -> Text,
        body_html -> Text,
        message_id -> Text,
        state -> Text,
        attempts -> Integer,
        next_attempt_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        sent_at -> Nullable<Timestamptz>,
        locale -> Text,
        purpose -> Text,
        unsubscribe_url -> Nullable<Text>,
        again -> Nullable<Uuid>,
        invoice_id -> Nullable<Uuid>,
        slot -> Nullable<Text>,
    }
}

diesel::table! {
    role_permissions (role_id, object, action) {
        role_id -> Uuid,
        object -> Text,
        action -> Text,
    }
}

diesel::table! {
    roles (id) {
        id -> Uuid,
        name -> Text,
        built_in -> Bool,
        created_at -> Timestamptz,
        version -> BigInt,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    staff (id) {
        id -> Uuid,
        account_id -> Nullable<Uuid>,
        email -> Text,
        email_key -> Text,
        name -> Text,
        role_id -> Uuid,
        state -> Text,
        epoch -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        version -> BigInt,
    }
}

diesel::joinable!(staff -> roles (role_id));
diesel::joinable!(role_permissions -> roles (role_id));

diesel::allow_tables_to_appear_in_same_query!(role_permissions, roles, staff);
