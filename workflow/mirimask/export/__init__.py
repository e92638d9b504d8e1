"""Masks for other software: labels, catalogues, regions.

Images, sources and masks come in.
"""
