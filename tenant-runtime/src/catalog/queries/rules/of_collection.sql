      AND c.id = $1
