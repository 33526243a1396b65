-- Tax: regions known by postal codes, several rates beside each other, classes of goods, exemptions, VAT numbers.

-- A region is a country, a province of it, or postal codes of either. `province` is its code within the country, whichever of these it is.
-- `stands_alone`: its rates stand instead of those above it; else they add to them.
ALTER TABLE tax_regions
    ADD COLUMN name          text NOT NULL DEFAULT '',
    ADD COLUMN parent_id     uuid REFERENCES tax_regions,
    ADD COLUMN postal_ranges jsonb,
    ADD COLUMN stands_alone  boolean NOT NULL DEFAULT false,
    ADD COLUMN version       bigint NOT NULL DEFAULT 1,
    ADD CONSTRAINT tax_regions_postal CHECK (postal_ranges IS NULL OR province IS NOT NULL) NOT VALID,
    ADD CONSTRAINT tax_regions_parent CHECK (parent_id IS NULL OR postal_ranges IS NOT NULL) NOT VALID;

CREATE TABLE tax_classes (
    code       text PRIMARY KEY CHECK (length(code) <= 40),
    name       text NOT NULL,
    created_at timestamptz NOT NULL
);

-- What is beside each other in a region has different components; what follows each other has the same.
ALTER TABLE tax_rates
    ADD COLUMN component text NOT NULL DEFAULT 'main',
    ADD COLUMN class     text,
    ADD COLUMN compound  boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT tax_rates_class_fkey FOREIGN KEY (class) REFERENCES tax_classes NOT VALID;
CREATE UNIQUE INDEX tax_rates_one_start ON tax_rates (region_id, component, coalesce(class, ''), valid_from);
-- A rate that is changed is another rate: only its end may be written.
REVOKE UPDATE ON tax_rates FROM :role;
GRANT UPDATE (valid_to) ON tax_rates TO :role;

ALTER TABLE product_variants
    ADD COLUMN tax_class text,
    ADD CONSTRAINT product_variants_tax_class_fkey FOREIGN KEY (tax_class) REFERENCES tax_classes NOT VALID;
CREATE INDEX product_variants_tax_class ON product_variants (tax_class) WHERE tax_class IS NOT NULL;

-- `shipping`: delivery is taxed as goods of `shipping_class`, or in parts as the goods it delivers.
CREATE TABLE tax_settings (
    only_row       boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    shipping       text NOT NULL DEFAULT 'class' CHECK (shipping IN ('class', 'goods')),
    shipping_class text REFERENCES tax_classes,
    reverse_charge text NOT NULL DEFAULT 'off' CHECK (reverse_charge IN ('off', 'well_formed', 'confirmed')),
    relieved_pay   text NOT NULL DEFAULT 'gross' CHECK (relieved_pay IN ('gross', 'net')),
    version        bigint NOT NULL DEFAULT 1,
    updated_at     timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tax_settings DEFAULT VALUES;

CREATE TABLE tax_exemptions (
    id          uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers ON DELETE CASCADE,
    country     text,
    province    text,
    reason      text NOT NULL CHECK (reason IN ('resale', 'charity', 'government', 'diplomatic', 'education', 'other')),
    certificate text NOT NULL,
    valid_from  timestamptz NOT NULL,
    valid_to    timestamptz CHECK (valid_to > valid_from),
    created_at  timestamptz NOT NULL,
    CHECK (province IS NULL OR country IS NOT NULL)
);
CREATE INDEX tax_exemptions_customer ON tax_exemptions (customer_id);

-- What is known of the VAT numbers of businesses, and since when.
CREATE TABLE tax_numbers (
    number     text PRIMARY KEY,
    outcome    text NOT NULL CHECK (outcome IN ('well_formed', 'confirmed', 'refuted')),
    checked_at timestamptz NOT NULL
);

ALTER TABLE carts ADD COLUMN vat_number text;

-- What an order was relieved of tax by, as it was then; and which rate each tax line is of.
ALTER TABLE orders ADD COLUMN tax_relief jsonb;
ALTER TABLE tax_lines
    ADD COLUMN rate_id  uuid,
    ADD COLUMN compound boolean NOT NULL DEFAULT false;
