"""What a whole path tells by itself: folders name shows, seasons, artists and films, and a name's plain evidence is never
contradicted. Pure, in microseconds, by data that stands in the rules (`words`).

`reader` sees what kind of file it is · `folders` says what a folder is for · `text` cleans what people and programs write ·
`film`, `episode`, `extra`, `camera`, `music`, `print` each read one kind.
"""
