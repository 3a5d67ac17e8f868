"""What a path of a host model may be: a column, a category, a computed value, a roll-up of related rows."""
