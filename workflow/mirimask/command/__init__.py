"""What a person types: `parser` has the options, `run` turns them into calls of the library.

Images, sources, masks and exports come in; no arithmetic stands here.
"""
