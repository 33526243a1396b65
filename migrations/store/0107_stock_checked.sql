-- What 0105 asks of new rows is true of the old ones.
ALTER TABLE locations VALIDATE CONSTRAINT locations_bucket;
ALTER TABLE inventory_items VALIDATE CONSTRAINT inventory_items_bounds;
ALTER TABLE inventory_levels VALIDATE CONSTRAINT inventory_levels_safe;
ALTER TABLE stock_movements VALIDATE CONSTRAINT stock_movements_kind_check;
