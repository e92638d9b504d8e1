"""Ways to make a mask of an image: the registry of methods, their names, and one way to masks.

Images and the ground come in; no sources, no stars that are added and no truth.
"""
