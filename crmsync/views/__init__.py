"""Doors for HTTP: authenticate, parse, call one flow or ring one job, answer; no decisions."""
