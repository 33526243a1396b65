-- Words to search products by: the title first, then who makes it and what it is, then what is said of it. The handle is the title without
-- accents. `search_text` is for what was typed wrongly.

ALTER TABLE products ADD COLUMN search_words tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('simple'::regconfig, title), 'A') ||
    setweight(to_tsvector('simple'::regconfig, replace(handle, '-', ' ')), 'A') ||
    setweight(to_tsvector('simple'::regconfig, vendor || ' ' || product_type), 'B') ||
    setweight(to_tsvector('simple'::regconfig, left(regexp_replace(description_html, '<[^>]*>', ' ', 'g'), 20000)), 'D')
) STORED;
ALTER TABLE products ADD COLUMN search_text text GENERATED ALWAYS AS (
    lower(title || ' ' || replace(handle, '-', ' ') || ' ' || vendor || ' ' || product_type)
) STORED;
CREATE INDEX products_search_words ON products USING gin (search_words);
