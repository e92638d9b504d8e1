"""Tables, claims and pages: they say what the tables that are given hold, and compute nothing.

The only package with templates. Names and labels of methods come in from below.
"""
