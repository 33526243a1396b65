-- Pages, whole; which of them, whoever adds a condition says.
SELECT p.id, p.handle, p.title, p.body_html, p.seo_title, p.seo_description, p.translations, p.status, p.published_at, p.version, p.created_at,
       p.updated_at
FROM pages p
