-- Who runs the store sees it as shoppers do. Roles of stores that are there already; a new store is given them with its other roles.
INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, 'storefront', 'view'
FROM roles r
WHERE r.built_in AND r.name IN ('owner', 'manager', 'catalogue', 'viewer')
ON CONFLICT DO NOTHING;
