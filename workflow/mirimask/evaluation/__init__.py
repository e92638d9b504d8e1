"""What masks are worth: chance, added stars, inverted images, the truth of simulated ones.

Images, sources and masks come in.
"""
