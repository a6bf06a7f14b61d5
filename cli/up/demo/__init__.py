"""The demo library of a first start: `library` which works there are, `media` the files themselves."""
