"""`produce` and `consume` on a real broker."""

import programs
from feeding import Feeding  # noqa: F401

if __name__ == "__main__":
    programs.main(with_servers=True)
