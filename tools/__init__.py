"""Development tools: generated files, lock files, the release.

They may import any of our packages; none of these imports them, and they are not in the wheel.
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The checkout."""
