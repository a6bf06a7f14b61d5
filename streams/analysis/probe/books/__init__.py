"""The formats of books, one module each, and what they share.

`epub` and its `package` · `comic` out of a ZIP, a TAR (`tar`) or a RAR (`rar`), its `comic_info` · `pdf` · `mobi` ·
`fictionbook` · `office` · `rtf` · `djvu` · `archive` a ZIP read with caps · `xml` a bounded tree · `words` names,
dates and prose fit for a record · `pieces` a few bytes out of a large file · `covers` a thumbnail, or the reason for
none · `notes` what could not be read. Which of them reads a file `probe.book` decides by its contents. A reader
raises Damaged where nothing can be known; all else that is missing is a note.
"""
