-- What new rows must be is checked of the old ones.
ALTER TABLE shipping_rates VALIDATE CONSTRAINT shipping_rates_calculator_id_fkey;
