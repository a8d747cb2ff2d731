"""One family of numbers a file: each is a generator of macros over the material."""
