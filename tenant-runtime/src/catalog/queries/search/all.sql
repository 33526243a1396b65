                                        ELSE (extract(epoch FROM p.created_at) * 1000000)::bigint END AS place) AS found
     WHERE p.status = 'active'
       AND $1 = ''
       AND $2 = ''
