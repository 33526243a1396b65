-- A store sees what its consumers have not heard, and what they were given up on.
CREATE INDEX undelivered_store ON undelivered (store_id, consumer);
