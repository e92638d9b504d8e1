"""An image as it is read: pixels, WCS, headers, the instrument behind it.

Only the ground below comes in.
"""
