"""Inside the jwst pipeline: a step that makes masks, and the WCS of its exposures.

The only package that imports `jwst` and what comes with it (`pip install 'mirimask[jwst]'`).
Images, sources, masks and exports come in.
"""
