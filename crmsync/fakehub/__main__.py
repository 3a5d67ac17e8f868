"""``python -m crmsync.fakehub``: see ``crmsync.fakehub.server``."""

import sys

from crmsync.fakehub import server

if __name__ == "__main__":
    sys.exit(server.main(sys.argv[1:]))
