-- What built-in roles hold of payouts. For stores that are there already; what else their owners changed stays.
INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, 'payout', p.action
FROM roles r JOIN (VALUES
    ('owner', '*'), ('manager', 'view'), ('accountant', 'view')
) AS p (role, action) ON p.role = r.name
WHERE r.built_in
ON CONFLICT DO NOTHING;
