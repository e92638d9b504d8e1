"""Masks for other software: label images, catalogues, DS9 regions, rows of a survey.

Images, sources and masks come in.
"""
