"""An image as it is read: pixels, WCS, headers, background, the instrument behind it.

Only the ground comes in: errors, units, intervals, whole files.
"""
