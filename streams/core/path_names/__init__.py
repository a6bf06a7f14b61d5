"""What is read from a whole path alone: folders name shows, seasons, artists and films, and unambiguous evidence in a file
name is never overridden. Pure, in microseconds, by data of the rules (`words`).

`reader` determines what kind of file it is · `folders` what a folder is for · `text` cleans what people and programs write ·
`film`, `episode`, `extra`, `camera`, `music`, `print` each read one kind.
"""
