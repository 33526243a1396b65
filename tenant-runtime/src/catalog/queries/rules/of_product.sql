      AND p.id = $1
