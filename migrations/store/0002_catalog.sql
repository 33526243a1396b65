-- What a store sells: products, their options and variants, pictures, prices, collections.

CREATE TABLE products (
    id               uuid PRIMARY KEY,
    handle           text NOT NULL UNIQUE,
    title            text NOT NULL,
    description_html text NOT NULL DEFAULT '',
    vendor           text NOT NULL DEFAULT '',
    product_type     text NOT NULL DEFAULT '',
    status           text NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
    tags             text[] NOT NULL DEFAULT '{}',
    seo_title        text,
    seo_description  text,
    published_at     timestamptz,
    version          bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX products_newest ON products (created_at DESC, id DESC);
CREATE INDEX products_title ON products (title, id);
CREATE INDEX products_tags ON products USING gin (tags);

-- A renamed product still answers under its earlier handles.
CREATE TABLE product_redirects (
    handle     text PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE
);

CREATE TABLE product_options (
    id         uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    name       text NOT NULL,
    position   integer NOT NULL,
    UNIQUE (product_id, name),
    UNIQUE (product_id, position) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE product_option_values (
    id        uuid PRIMARY KEY,
    option_id uuid NOT NULL REFERENCES product_options ON DELETE CASCADE,
    value     text NOT NULL,
    position  integer NOT NULL,
    UNIQUE (option_id, value)
);

-- `options` repeats the chosen values in option order, so that reading a variant needs no join: [{"name": "Size", "value": "L"}].
CREATE TABLE product_variants (
    id                uuid PRIMARY KEY,
    product_id        uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    title             text NOT NULL,
    sku               text UNIQUE,
    barcode           text,
    options           jsonb NOT NULL DEFAULT '[]',
    position          integer NOT NULL,
    weight_grams      bigint NOT NULL DEFAULT 0 CHECK (weight_grams >= 0),
    requires_shipping boolean NOT NULL DEFAULT true,
    taxable           boolean NOT NULL DEFAULT true,
    inventory_item_id uuid NOT NULL UNIQUE,
    inventory_policy  text NOT NULL DEFAULT 'deny' CHECK (inventory_policy IN ('deny', 'continue')),
    version           bigint NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    UNIQUE (product_id, options)
);
CREATE INDEX product_variants_product ON product_variants (product_id, position);

CREATE TABLE prices (
    id               uuid PRIMARY KEY,
    variant_id       uuid NOT NULL REFERENCES product_variants ON DELETE CASCADE,
    currency         text NOT NULL,
    amount_minor     bigint NOT NULL CHECK (amount_minor >= 0),
    compare_at_minor bigint CHECK (compare_at_minor >= 0),
    updated_at       timestamptz NOT NULL,
    UNIQUE (variant_id, currency)
);

-- Every price a variant ever had, for the lowest price of the last 30 days.
CREATE TABLE price_history (
    variant_id   uuid NOT NULL REFERENCES product_variants ON DELETE CASCADE,
    currency     text NOT NULL,
    amount_minor bigint NOT NULL,
    since        timestamptz NOT NULL,
    PRIMARY KEY (variant_id, currency, since)
);

CREATE TABLE product_images (
    id           uuid PRIMARY KEY,
    product_id   uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    variant_id   uuid REFERENCES product_variants ON DELETE SET NULL,
    position     integer NOT NULL,
    alt          text NOT NULL DEFAULT '',
    content_type text NOT NULL,
    digest       bytea NOT NULL,
    width        integer,
    height       integer,
    created_at   timestamptz NOT NULL
);
CREATE INDEX product_images_product ON product_images (product_id, position);

-- Picture bytes by SHA-256; an object store takes their place when one is configured.
CREATE TABLE media_blobs (
    digest       bytea PRIMARY KEY,
    content_type text NOT NULL,
    bytes        bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE collections (
    id               uuid PRIMARY KEY,
    handle           text NOT NULL UNIQUE,
    title            text NOT NULL,
    description_html text NOT NULL DEFAULT '',
    published        boolean NOT NULL DEFAULT true,
    version          bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);

CREATE TABLE collection_products (
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    product_id    uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    position      integer NOT NULL,
    PRIMARY KEY (collection_id, product_id)
);
CREATE INDEX collection_products_product ON collection_products (product_id);
