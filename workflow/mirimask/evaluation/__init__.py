"""What masks are worth: chance, added stars, blank images, the truth of simulated images.

Images, sources and masks come in. The truth is known to `scene`, `completeness` and `agreement`,
and to `curves` what a scene hands it; nothing here draws or writes a page.
"""
