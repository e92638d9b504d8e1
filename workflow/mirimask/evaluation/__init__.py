"""What masks are worth: chance, added stars, blank images, the truth of simulated images.

Images, sources and masks come in. The truth is known to `scene`, `completeness`, `agreement` and
`background`, and to `curves` and `reliability` what these hand on; nothing here draws or writes a
page.
"""
