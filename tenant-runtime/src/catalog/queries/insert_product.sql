-- $1 the draft as jsonb, $2 now. Options and product; variants follow in their own statement.
WITH doc AS (SELECT $1::jsonb AS d), product AS (
    INSERT INTO products (id, handle, title, description_html, vendor, product_type, status, tags, seo_title, seo_description,
                          category_id, published_at, created_at, updated_at)
    SELECT r.id, r.handle, r.title, r.description_html, r.vendor, r.product_type, r.status, r.tags, r.seo_title, r.seo_description,
           r.category_id, CASE WHEN r.status = 'active' THEN $2::timestamptz END, $2, $2
    FROM doc, jsonb_to_record(d -> 'product') AS r(id uuid, handle text, title text, description_html text, vendor text,
         product_type text, status text, tags text[], seo_title text, seo_description text, category_id uuid)
), redirect AS (
    DELETE FROM product_redirects USING doc WHERE product_redirects.handle = d #>> '{product,handle}'
)
INSERT INTO product_options (id, product_id, name, position)
SELECT r.id, (d #>> '{product,id}')::uuid, r.name, r.position
FROM doc, jsonb_to_recordset(d -> 'options') AS r(id uuid, name text, position integer)
