"""Skies, detectors and catalogues that are made up, with their truth.

Everything below figures and pages comes in.
"""
