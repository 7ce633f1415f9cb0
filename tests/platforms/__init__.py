"""Wire-level fakes of the chat platforms, and stories through the real libraries."""
