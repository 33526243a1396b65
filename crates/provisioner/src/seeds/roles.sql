WITH wanted AS (
    SELECT r.id, r.name, r.permissions FROM jsonb_to_recordset($1 -> 'roles') AS r (id uuid, name text, permissions jsonb)
), made AS (
    INSERT INTO roles (id, name, built_in) SELECT id, name, true FROM wanted
)
INSERT INTO role_permissions (role_id, object, action)
SELECT w.id, p.object, p.action FROM wanted w, jsonb_to_recordset(w.permissions) AS p (object text, action text)
