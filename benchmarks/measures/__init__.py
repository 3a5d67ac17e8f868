"""One file a measurement, each with ``measure(trial)``; each runs in a process and a database of its own."""
