"""Stored runs -> every number, table and figure of the paper, and the check that no other is there.

A number of the paper has a name, and the text writes `\\result{NAME}` for it.
"""
