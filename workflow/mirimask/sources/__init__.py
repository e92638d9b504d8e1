"""Catalogue sources, reference peaks, and the verdicts on a mask.

Images come in; a mask is an array here, however it was made.
"""
