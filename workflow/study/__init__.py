"""A study: its configuration and its table of images, read and checked without Snakemake.

The rules read it (`study.images`); it takes names and checks from the library, and no arrays.
"""
