-- Support keeps orders in order: their notes and tags. Owners and managers may do everything with orders already.
INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, 'order', 'edit' FROM roles r WHERE r.built_in AND r.name = 'support'
ON CONFLICT DO NOTHING;
