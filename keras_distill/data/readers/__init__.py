"""Files of rows: their lines, their columns, and what is bad in them."""
