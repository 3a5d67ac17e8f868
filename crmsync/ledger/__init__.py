"""Our own bookkeeping in SQL: rows change only through these functions; knows no side and no HTTP."""
