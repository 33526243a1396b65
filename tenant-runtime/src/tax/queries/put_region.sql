-- $1 id, $2 country, $3 code, $4 name, $5 parent, $6 postal ranges, $7 stands alone.
INSERT INTO tax_regions (id, country, province, name, parent_id, postal_ranges, stands_alone)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, postal_ranges = EXCLUDED.postal_ranges, stands_alone = EXCLUDED.stands_alone,
    version = tax_regions.version + 1
RETURNING id, country, province, name, parent_id, postal_ranges, stands_alone, version
