"""The formats of books, one module each, and what they share.

`epub` and its `package` · `comic` out of a ZIP, a TAR (`tar`) or a RAR (`rar`), its `comic_info` · `pdf` · `mobi` ·
`fictionbook` · `office` · `rtf` · `djvu` · `archive` a ZIP read with caps · `xml` a bounded tree · `words` names,
dates and prose in the form of a record · `pieces` a few bytes out of a large file · `covers` a thumbnail, or the reason
for none · `notes` what could not be read. `probe.book` decides by the contents of a file which module reads it. A
reader raises Damaged if nothing can be known; anything else that is missing is a note.
"""
