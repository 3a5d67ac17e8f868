"""The pure middle: data in, decisions out. Stdlib and engine only; no Django, no clock, no I/O."""
