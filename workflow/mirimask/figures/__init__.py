"""Figures: they draw arrays and tables that are given, and compute nothing."""
