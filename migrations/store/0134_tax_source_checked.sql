ALTER TABLE orders VALIDATE CONSTRAINT orders_tax_source;
