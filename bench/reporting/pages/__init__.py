"""From an analysis to what stands on the pages of its figures: one file for each kind of page.

Numbers alone: how they are drawn is bench.reporting.figures' business. Every function takes the
analysis, the looks of all its mitigations, and a list to which it adds what cannot be drawn.
"""
