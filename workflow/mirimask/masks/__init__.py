"""Ways to make a mask of an image: the registry of methods, their names, and one way to masks.

It knows images (`mirimask.image.frame`) and the arithmetic below them, but no sources, no stars
that are added and no truth.
"""
