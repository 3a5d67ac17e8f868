"""A stateful, strict and deterministic HubSpot portal for tests and demos; it knows nothing of crmsync or Django.

``crmsync.fakehub.hub.FakeHub`` is the portal as a Python object, ``python -m crmsync.fakehub`` serves it over
HTTP on the loopback interface. CONTRACT.md lists each behaviour and where it was confirmed.
"""
