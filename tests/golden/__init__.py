"""One reply, N renderings: the replies are made here, the renderings stand beside as JSON."""
