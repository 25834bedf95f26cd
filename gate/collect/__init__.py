"""Bytes from outside: files, folders, git. Size and number limits apply while reading; nothing is interpreted."""
