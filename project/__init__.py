"""The demo host: a small product that knows nothing of any CRM, with crmsync plugged in."""
