-- Where a store sells, what it owes the state, and what delivery costs.

CREATE TABLE markets (
    id                 uuid PRIMARY KEY,
    name               text NOT NULL UNIQUE,
    countries          text[] NOT NULL,
    currency           text NOT NULL,
    locale             text NOT NULL,
    prices_include_tax boolean NOT NULL,
    is_default         boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX markets_one_default ON markets (is_default) WHERE is_default;

CREATE TABLE tax_regions (
    id       uuid PRIMARY KEY,
    country  text NOT NULL,
    province text,
    UNIQUE NULLS NOT DISTINCT (country, province)
);

-- Versioned, never edited: a new rate ends the old one.
CREATE TABLE tax_rates (
    id         uuid PRIMARY KEY,
    region_id  uuid NOT NULL REFERENCES tax_regions,
    name       text NOT NULL,
    rate_ppm   integer NOT NULL CHECK (rate_ppm BETWEEN 0 AND 1000000),
    reason     text NOT NULL DEFAULT 'standard_rated'
               CHECK (reason IN ('standard_rated', 'reduced_rated', 'zero_rated', 'reverse_charge', 'intra_community_supply', 'export', 'customer_exempt', 'product_exempt', 'not_collecting')),
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    CHECK (valid_to > valid_from)
);
CREATE INDEX tax_rates_region ON tax_rates (region_id, valid_from);

CREATE TABLE shipping_zones (
    id        uuid PRIMARY KEY,
    name      text NOT NULL UNIQUE,
    countries text[] NOT NULL DEFAULT '{}',
    -- a zone without countries takes whoever no other zone names
    rest_of_world boolean NOT NULL DEFAULT false
);

-- `free_from_minor`: from this merchandise total on the rate costs nothing.
CREATE TABLE shipping_rates (
    id              uuid PRIMARY KEY,
    zone_id         uuid NOT NULL REFERENCES shipping_zones ON DELETE CASCADE,
    name            text NOT NULL,
    currency        text NOT NULL,
    amount_minor    bigint NOT NULL CHECK (amount_minor >= 0),
    min_total_minor bigint CHECK (min_total_minor >= 0),
    max_total_minor bigint CHECK (max_total_minor >= 0),
    position        integer NOT NULL DEFAULT 0,
    active          boolean NOT NULL DEFAULT true,
    UNIQUE (zone_id, name)
);
