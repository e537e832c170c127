"""`produce` and `consume` on the embedded log."""

import programs
from feeding import Feeding  # noqa: F401

if __name__ == "__main__":
    programs.main(with_servers=False)
