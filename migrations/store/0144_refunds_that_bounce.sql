-- Money that had left may come back from the shopper's bank: a closed card. How often that happened to a refund; it names the movements after the first.
ALTER TABLE refunds ADD COLUMN bounced integer NOT NULL DEFAULT 0 CHECK (bounced >= 0);
