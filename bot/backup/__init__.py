"""Backups as a whole: what one consists of, where they stand, how one is made, proven and put back. Nothing of chat."""
