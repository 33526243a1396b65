-- Whether whoever sent it may say where products are sold.
ALTER TABLE imports ADD COLUMN may_publish boolean NOT NULL DEFAULT false;
