"""The demo library of a first start: `library` lists its works, `media` writes the files."""
