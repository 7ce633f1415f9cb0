"""The adapters: each module knows exactly one outside system, and nothing of chat, permissions or the store."""
