"""Figures: they draw arrays and tables that are given, and compute nothing.

The only package with matplotlib. Names and labels of methods come in from below.
"""
