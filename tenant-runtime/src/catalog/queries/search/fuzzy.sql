                                        ELSE (word_similarity($2, p.search_text) * 1000000)::bigint END AS place) AS found
     WHERE p.status = 'active'
       AND $1 <> ''
       AND word_similarity($2, p.search_text) >= 0.4
