-- Groups of customers, and what is only for some of them: prices, discounts, relief of tax.

CREATE TABLE customer_groups (
    id         uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    handle     text NOT NULL UNIQUE,
    note       text NOT NULL DEFAULT '',
    version    bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE customer_group_members (
    group_id    uuid NOT NULL REFERENCES customer_groups ON DELETE CASCADE,
    customer_id uuid NOT NULL REFERENCES customers ON DELETE CASCADE,
    added_at    timestamptz NOT NULL,
    PRIMARY KEY (group_id, customer_id)
);
CREATE INDEX customer_group_members_customer ON customer_group_members (customer_id, group_id);

-- A list without rows here is for everybody. So a group that is named here stays: without it the list would be.
CREATE TABLE price_list_groups (
    list_id  uuid NOT NULL REFERENCES price_lists ON DELETE CASCADE,
    group_id uuid NOT NULL REFERENCES customer_groups,
    PRIMARY KEY (list_id, group_id)
);
CREATE INDEX price_list_groups_group ON price_list_groups (group_id);

-- As with price lists.
CREATE TABLE discount_groups (
    discount_id uuid NOT NULL REFERENCES discounts ON DELETE CASCADE,
    group_id    uuid NOT NULL REFERENCES customer_groups,
    PRIMARY KEY (discount_id, group_id)
);
CREATE INDEX discount_groups_group ON discount_groups (group_id);

-- An exemption is of a customer, or of whoever is in a group.
ALTER TABLE tax_exemptions
    ALTER COLUMN customer_id DROP NOT NULL,
    ADD COLUMN group_id uuid,
    ADD CONSTRAINT tax_exemptions_group_id_fkey FOREIGN KEY (group_id) REFERENCES customer_groups ON DELETE CASCADE NOT VALID,
    ADD CONSTRAINT tax_exemptions_whose CHECK ((customer_id IS NULL) <> (group_id IS NULL)) NOT VALID;
CREATE INDEX tax_exemptions_group ON tax_exemptions (group_id) WHERE group_id IS NOT NULL;
