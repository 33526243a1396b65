-- What built-in roles hold of identity providers and apps. For stores that are there already; what else their owners changed stays.
INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, p.object, p.action
FROM roles r JOIN (VALUES
    ('owner', 'identity_provider', '*'), ('owner', 'app', '*'), ('manager', 'identity_provider', 'view'),
    ('manager', 'app', 'view'), ('manager', 'app', 'request')
) AS p (role, object, action) ON p.role = r.name
WHERE r.built_in
ON CONFLICT DO NOTHING;
