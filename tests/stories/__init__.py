"""Whole stories: the real bot between both platforms' fakes and the sandbox's real processes."""
