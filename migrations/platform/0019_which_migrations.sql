-- Which migrations a schema has had, all in all. The newest number alone says nothing about those below it: a branch may land after
-- one with a higher number. Stores of before have none written down, so the next sweep looks at each of them.
ALTER TABLE store_ledger ADD COLUMN schema_digest text;
