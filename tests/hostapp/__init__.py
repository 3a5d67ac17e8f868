"""A host with models of every shape, for tests only; its tables are made without migrations."""
