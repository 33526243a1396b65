//! The tables of a store as diesel sees them. Generated from migrations/store; do not edit by hand.

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
    audit_entries (position) {
        position -> BigInt,
        id -> Uuid,
        at -> Timestamptz,
        actor -> Text,
        action -> Text,
        object -> Text,
        details -> Jsonb,
        request_id -> Nullable<Text>,
        previous -> Bytea,
        hash -> Bytea,
    }
}

diesel::table! {
    cart_lines (id) {
        id -> Uuid,
        cart_id -> Uuid,
        variant_id -> Uuid,
        quantity -> Integer,
        position -> Integer,
        added_at -> Timestamptz,
    }
}

diesel::table! {
    carts (id) {
        id -> Uuid,
        secret_hash -> Bytea,
        state -> Text,
        currency -> Text,
        market_id -> Nullable<Uuid>,
        customer_id -> Nullable<Uuid>,
        email -> Nullable<Text>,
        note -> Text,
        shipping_address -> Nullable<Jsonb>,
        billing_address -> Nullable<Jsonb>,
        shipping_rate_id -> Nullable<Uuid>,
        completing_until -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        attributes -> Jsonb,
    }
}

diesel::table! {
    collection_products (collection_id, product_id) {
        collection_id -> Uuid,
        product_id -> Uuid,
        position -> Integer,
    }
}

diesel::table! {
    collections (id) {
        id -> Uuid,
        handle -> Text,
        title -> Text,
        description_html -> Text,
        published -> Bool,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    customers (id) {
        id -> Uuid,
        email -> Text,
        email_key -> Text,
        first_name -> Text,
        last_name -> Text,
        state -> Text,
        password -> Nullable<Text>,
        epoch -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
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
    email_templates (name, locale) {
        name -> Text,
        locale -> Text,
        subject -> Text,
        body_text -> Text,
        body_html -> Text,
        version -> BigInt,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    heard_events (consumer, event_id) {
        consumer -> Text,
        event_id -> Uuid,
        heard_at -> Timestamptz,
    }
}

diesel::table! {
    idempotency_keys (principal, route, key) {
        principal -> Text,
        route -> Text,
        key -> Text,
        fingerprint -> Bytea,
        status -> Text,
        leased_until -> Nullable<Timestamptz>,
        response_status -> Nullable<Integer>,
        response_headers -> Nullable<Jsonb>,
        response_body -> Nullable<Bytea>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    inventory_items (id) {
        id -> Uuid,
        sku -> Nullable<Text>,
        tracked -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    inventory_levels (item_id, location_id) {
        item_id -> Uuid,
        location_id -> Uuid,
        on_hand -> BigInt,
        unavailable -> BigInt,
        committed -> BigInt,
        reserved -> BigInt,
        backorderable -> BigInt,
        version -> BigInt,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    journal_entries (id) {
        id -> Uuid,
        fact -> Text,
        kind -> Text,
        description -> Text,
        order_id -> Nullable<Uuid>,
        at -> Timestamptz,
    }
}

diesel::table! {
    ledger_accounts (id) {
        id -> Uuid,
        code -> Text,
        name -> Text,
        kind -> Text,
    }
}

diesel::table! {
    locations (id) {
        id -> Uuid,
        name -> Text,
        country -> Text,
        priority -> Integer,
        active -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    markets (id) {
        id -> Uuid,
        name -> Text,
        countries -> Array<Text>,
        currency -> Text,
        locale -> Text,
        prices_include_tax -> Bool,
        is_default -> Bool,
    }
}

diesel::table! {
    media_blobs (digest) {
        digest -> Bytea,
        content_type -> Text,
        bytes -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    order_events (id) {
        id -> Uuid,
        order_id -> Uuid,
        kind -> Text,
        actor -> Text,
        details -> Jsonb,
        at -> Timestamptz,
    }
}

diesel::table! {
    order_lines (id) {
        id -> Uuid,
        order_id -> Uuid,
        position -> Integer,
        variant_id -> Nullable<Uuid>,
        product_id -> Nullable<Uuid>,
        inventory_item_id -> Nullable<Uuid>,
        location_id -> Nullable<Uuid>,
        title -> Text,
        variant_title -> Text,
        sku -> Nullable<Text>,
        options -> Jsonb,
        image_id -> Nullable<Uuid>,
        requires_shipping -> Bool,
        quantity -> Integer,
        unit_price_minor -> BigInt,
        discount_minor -> BigInt,
        total_minor -> BigInt,
    }
}

diesel::table! {
    orders (id) {
        id -> Uuid,
        number -> Nullable<BigInt>,
        name -> Nullable<Text>,
        cart_id -> Uuid,
        secret_hash -> Bytea,
        state -> Text,
        financial_status -> Text,
        fulfillment_status -> Text,
        customer_id -> Nullable<Uuid>,
        email -> Text,
        currency -> Text,
        prices_include_tax -> Bool,
        subtotal_minor -> BigInt,
        discount_minor -> BigInt,
        shipping_minor -> BigInt,
        tax_minor -> BigInt,
        total_minor -> BigInt,
        shipping_address -> Nullable<Jsonb>,
        billing_address -> Nullable<Jsonb>,
        note -> Text,
        cancelled_at -> Nullable<Timestamptz>,
        cancel_reason -> Nullable<Text>,
        placed_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        attributes -> Jsonb,
    }
}

diesel::table! {
    payment_providers (code) {
        code -> Text,
        title -> Text,
        enabled -> Bool,
        settings -> Jsonb,
        version -> BigInt,
    }
}

diesel::table! {
    payment_sessions (id) {
        id -> Uuid,
        order_id -> Uuid,
        provider -> Text,
        state -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        idempotency_key -> Text,
        reference -> Nullable<Text>,
        redirect_url -> Nullable<Text>,
        return_url -> Nullable<Text>,
        token -> Nullable<Text>,
        failure_code -> Nullable<Text>,
        failure_message -> Nullable<Text>,
        attempts -> Integer,
        next_poll_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        capture_minor -> Nullable<BigInt>,
    }
}

diesel::table! {
    payment_transactions (id) {
        id -> Uuid,
        payment_id -> Uuid,
        kind -> Text,
        state -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        reference -> Nullable<Text>,
        idempotency_key -> Text,
        message -> Nullable<Text>,
        at -> Timestamptz,
    }
}

diesel::table! {
    payments (id) {
        id -> Uuid,
        order_id -> Uuid,
        session_id -> Uuid,
        provider -> Text,
        reference -> Nullable<Text>,
        currency -> Text,
        authorized_minor -> BigInt,
        captured_minor -> BigInt,
        refunded_minor -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    postings (id) {
        id -> Uuid,
        entry_id -> Uuid,
        account_id -> Uuid,
        amount_minor -> BigInt,
        currency -> Text,
    }
}

diesel::table! {
    price_history (variant_id, currency, since) {
        variant_id -> Uuid,
        currency -> Text,
        amount_minor -> BigInt,
        since -> Timestamptz,
    }
}

diesel::table! {
    prices (id) {
        id -> Uuid,
        variant_id -> Uuid,
        currency -> Text,
        amount_minor -> BigInt,
        compare_at_minor -> Nullable<BigInt>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    product_images (id) {
        id -> Uuid,
        product_id -> Uuid,
        variant_id -> Nullable<Uuid>,
        position -> Integer,
        alt -> Text,
        content_type -> Text,
        digest -> Bytea,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    product_option_values (id) {
        id -> Uuid,
        option_id -> Uuid,
        value -> Text,
        position -> Integer,
    }
}

diesel::table! {
    product_options (id) {
        id -> Uuid,
        product_id -> Uuid,
        name -> Text,
        position -> Integer,
    }
}

diesel::table! {
    product_redirects (handle) {
        handle -> Text,
        product_id -> Uuid,
    }
}

diesel::table! {
    product_variants (id) {
        id -> Uuid,
        product_id -> Uuid,
        title -> Text,
        sku -> Nullable<Text>,
        barcode -> Nullable<Text>,
        options -> Jsonb,
        position -> Integer,
        weight_grams -> BigInt,
        requires_shipping -> Bool,
        taxable -> Bool,
        inventory_item_id -> Uuid,
        inventory_policy -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    products (id) {
        id -> Uuid,
        handle -> Text,
        title -> Text,
        description_html -> Text,
        vendor -> Text,
        product_type -> Text,
        status -> Text,
        tags -> Array<Text>,
        seo_title -> Nullable<Text>,
        seo_description -> Nullable<Text>,
        published_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    provider_events (provider, event_id) {
        provider -> Text,
        event_id -> Text,
        kind -> Text,
        reference -> Nullable<Text>,
        payload -> Jsonb,
        outcome -> Text,
        received_at -> Timestamptz,
    }
}

diesel::table! {
    refund_lines (id) {
        id -> Uuid,
        refund_id -> Uuid,
        order_id -> Uuid,
        order_line_id -> Nullable<Uuid>,
        quantity -> Integer,
        amount_minor -> BigInt,
        tax_minor -> BigInt,
        stock -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    refunds (id) {
        id -> Uuid,
        order_id -> Uuid,
        payment_id -> Uuid,
        amount_minor -> BigInt,
        currency -> Text,
        reason -> Text,
        state -> Text,
        idempotency_key -> Text,
        reference -> Nullable<Text>,
        attempts -> Integer,
        next_attempt_at -> Nullable<Timestamptz>,
        failure_message -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    reservations (id) {
        id -> Uuid,
        cart_id -> Uuid,
        item_id -> Uuid,
        location_id -> Uuid,
        quantity -> BigInt,
        state -> Text,
        expires_at -> Timestamptz,
        created_at -> Timestamptz,
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
    }
}

diesel::table! {
    shipping_lines (id) {
        id -> Uuid,
        order_id -> Uuid,
        shipping_rate_id -> Nullable<Uuid>,
        title -> Text,
        amount_minor -> BigInt,
    }
}

diesel::table! {
    shipping_rates (id) {
        id -> Uuid,
        zone_id -> Uuid,
        name -> Text,
        currency -> Text,
        amount_minor -> BigInt,
        min_total_minor -> Nullable<BigInt>,
        max_total_minor -> Nullable<BigInt>,
        position -> Integer,
        active -> Bool,
    }
}

diesel::table! {
    shipping_zones (id) {
        id -> Uuid,
        name -> Text,
        countries -> Array<Text>,
        rest_of_world -> Bool,
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

diesel::table! {
    stock_movements (id) {
        id -> Uuid,
        item_id -> Uuid,
        location_id -> Uuid,
        kind -> Text,
        on_hand_delta -> BigInt,
        unavailable_delta -> BigInt,
        committed_delta -> BigInt,
        reserved_delta -> BigInt,
        reason -> Nullable<Text>,
        cause_type -> Nullable<Text>,
        cause_id -> Nullable<Uuid>,
        actor -> Text,
        at -> Timestamptz,
    }
}

diesel::table! {
    store_settings (only_row) {
        only_row -> Bool,
        name -> Text,
        country -> Text,
        currency -> Text,
        locale -> Text,
        time_zone -> Text,
        contact_email -> Text,
        prices_include_tax -> Bool,
        tax_rounding -> Text,
        tax_level -> Text,
        reservation_minutes -> Integer,
        order_prefix -> Text,
        next_order_number -> BigInt,
        policy_version -> BigInt,
        catalogue_version -> BigInt,
        version -> BigInt,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    tax_lines (id) {
        id -> Uuid,
        order_id -> Uuid,
        order_line_id -> Nullable<Uuid>,
        shipping_line_id -> Nullable<Uuid>,
        name -> Text,
        jurisdiction -> Text,
        rate_ppm -> Integer,
        reason -> Text,
        taxable_minor -> BigInt,
        amount_minor -> BigInt,
    }
}

diesel::table! {
    tax_rates (id) {
        id -> Uuid,
        region_id -> Uuid,
        name -> Text,
        rate_ppm -> Integer,
        reason -> Text,
        valid_from -> Timestamptz,
        valid_to -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    tax_regions (id) {
        id -> Uuid,
        country -> Text,
        province -> Nullable<Text>,
    }
}

diesel::joinable!(staff -> roles (role_id));
diesel::joinable!(role_permissions -> roles (role_id));

diesel::allow_tables_to_appear_in_same_query!(
    api_keys,
    audit_entries,
    cart_lines,
    carts,
    collection_products,
    collections,
    customers,
    email_messages,
    email_templates,
    heard_events,
    idempotency_keys,
    inventory_items,
    inventory_levels,
    journal_entries,
    ledger_accounts,
    locations,
    markets,
    media_blobs,
    order_events,
    order_lines,
    orders,
    payment_providers,
    payment_sessions,
    payment_transactions,
    payments,
    postings,
    price_history,
    prices,
    product_images,
    product_option_values,
    product_options,
    product_redirects,
    product_variants,
    products,
    provider_events,
    refund_lines,
    refunds,
    reservations,
    role_permissions,
    roles,
    shipping_lines,
    shipping_rates,
    shipping_zones,
    staff,
    stock_movements,
    store_settings,
    tax_lines,
    tax_rates,
    tax_regions
);
