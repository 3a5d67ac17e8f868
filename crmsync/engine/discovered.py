"""Discovered: what a portal was found to hold, as far as checks of the engine ask."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PropertyFacts:
    """One property of an object type.

    ``type`` is HubSpot's. ``options`` are its option values; empty where it has none, or where they are kept
    elsewhere as stages and owners are. ``exists`` False: it was there once and is archived.
    """

    type: str = "string"
    options: frozenset[str] = frozenset()
    is_read_only: bool = False
    exists: bool = True
    is_unique: bool = False
