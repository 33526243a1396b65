-- The class of a product's variants that have none of their own.
ALTER TABLE products
    ADD COLUMN tax_class text,
    ADD CONSTRAINT products_tax_class_fkey FOREIGN KEY (tax_class) REFERENCES tax_classes NOT VALID;
CREATE INDEX products_tax_class ON products (tax_class) WHERE tax_class IS NOT NULL;
