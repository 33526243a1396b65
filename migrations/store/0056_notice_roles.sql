-- Who says when staff and shoppers are told things, in stores that are there already. What else their owners changed stays.
INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, 'notice', '*' FROM roles r WHERE r.built_in AND r.name IN ('owner', 'manager')
ON CONFLICT DO NOTHING;
