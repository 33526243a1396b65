-- The relay takes the oldest events first. Led by `available_at`, the index had to be read to its end for each claim, so a backlog
-- took time by its square; and every claim, which moves `available_at`, had to write all the indexes of the row.
CREATE INDEX outbox_oldest ON outbox (position) WHERE published_at IS NULL AND dead_at IS NULL;
DROP INDEX outbox_waiting;
