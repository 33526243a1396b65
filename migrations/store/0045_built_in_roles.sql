-- What built-in roles hold by now and were not given when the events and the webhooks came. For stores that are there already; what else their
-- owners changed stays. `staff::tests::upgrade` holds that no later permission is forgotten.
INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, p.object, '*'
FROM roles r
CROSS JOIN (VALUES ('event'), ('webhook')) AS p (object)
WHERE r.built_in AND r.name IN ('owner', 'manager')
ON CONFLICT DO NOTHING;
