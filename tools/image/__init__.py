"""The container image: its lock file (`lock`), a build without an engine (`building`), rules for its files (`judging`,
pure), tests of its commands (`trying`), its base by digest (`pins`).

`python -m tools.image` builds it twice and prints figures. It needs root, buildah and debootstrap (Debian packages), but
neither an image registry nor a running engine.
"""
