"""A small product of its own: organisations, people and opportunities. It does not know that a CRM exists."""
