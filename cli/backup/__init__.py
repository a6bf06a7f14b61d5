"""Backup and restore of one machine's platform: everything in its state folder that cannot be recreated.

A backup is a folder with the files, copied while nothing ran, and a manifest with their checksums. It is renamed into place
once everything is on disk, so it is complete or absent.
"""
