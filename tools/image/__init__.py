"""The container image: its lock file (`lock`), how it is built without an engine (`building`), what must be true of its
files (`judging`, pure), how it is tried (`trying`), its base by digest (`pins`).

`python -m tools.image` builds it twice and prints figures. It needs buildah and debootstrap, and root: Debian packages, and
neither a registry of images nor a running engine.
"""
