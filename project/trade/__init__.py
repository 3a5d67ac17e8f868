"""A second product of the demo host, of a firm that sends tradesmen to clients: recipes of integrations need it."""
