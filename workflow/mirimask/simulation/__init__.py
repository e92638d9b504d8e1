"""Skies and exposures that are made up, as archives would hold them, with their truth.

Images, masks and exports come in: a simulated image has a segmentation and a catalogue of the
pipeline too. No other package imports this one.
"""
