-- What built-in roles hold of pages, menus and policies, and of sales channels. For stores that are there already; what else their owners
-- changed stays.
INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, p.object, p.action
FROM roles r JOIN (VALUES
    ('owner', 'content', '*'), ('manager', 'content', '*'), ('catalogue', 'content', '*'), ('viewer', 'content', 'view'),
    ('owner', 'channel', '*'), ('manager', 'channel', '*'), ('catalogue', 'channel', 'view'), ('viewer', 'channel', 'view')
) AS p (role, object, action) ON p.role = r.name
WHERE r.built_in
ON CONFLICT DO NOTHING;
