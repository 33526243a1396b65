INSERT INTO staff (id, account_id, email, email_key, name, role_id)
SELECT o.id, o.account_id, o.email, o.email_key, o.name, r.id
FROM jsonb_to_record(nullif($1 -> 'owner', 'null')) AS o (
    id uuid, account_id uuid, email text, email_key text, name text, role text)
JOIN roles r ON r.name = o.role
