"""What is used to work on the project and not to run it: generated files, lock files, the release.

Imports anything of ours; nothing of ours imports it, and it is not in the wheel.
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The checkout."""
