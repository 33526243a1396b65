-- In which language somebody is written to: a language tag. Whoever was here before goes on getting English.
ALTER TABLE control.accounts ADD COLUMN locale text NOT NULL DEFAULT 'en' CHECK (length(locale) BETWEEN 2 AND 35);
