"""The chaos proof: real processes are killed and disturbed by seed, then both worlds are compared.

``python -m benchmarks.chaos moments``, ``… kill`` and ``… storm``; without a word all, with and without Redis. What
is right is decided by witnesses that share no code with crmsync: the product's rows, the state and ledger of the
fakehub, and triggers in the database of the product. crmsync's own tables are never evidence, but for the conflict
log, whose content is promised.
"""
