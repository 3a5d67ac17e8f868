"""HubSpot's REST API and webhooks as typed values.

Stdlib and requests only; no Django, no models, no settings, nothing else of crmsync. Retry policy, storage
and clocks belong to the caller: functions take what they need and give values or an ``errors.HubSpotError``.
"""
