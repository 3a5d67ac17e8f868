"""What a host's own tests use: the fakehub in the same process, reached through ``requests``."""
