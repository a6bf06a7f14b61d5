"""Directories of this machine: looked at through descriptors, watched through inotify.

`backend` puts both together · `tree` looks · `watch` watches, the only user of watchdog.
"""
