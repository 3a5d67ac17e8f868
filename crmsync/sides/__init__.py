"""The two worlds as the engine's Side: local (host models) and remote (HubSpot); no models of ours, no ledger."""
