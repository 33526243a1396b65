INSERT INTO api_keys (id, kind, mode, name, prefix, hash, scopes)
SELECT k.id, k.kind, k.mode, k.name, k.prefix, decode(k.hash, 'hex'), k.scopes
FROM jsonb_to_recordset($1 -> 'api_keys') AS k (
    id uuid, kind text, mode text, name text, prefix text, hash text, scopes text[])
