"""Backup and restore of one machine's platform: everything in its state folder that cannot be made again.

A backup is a folder with the files as they were while nothing ran, and a manifest with their checksums. It appears by a
rename once all of it is on disk, so it is whole or absent.
"""
