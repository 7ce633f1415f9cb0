"""What is done when somebody broke in: a service cut off, traces kept, access taken away. Each can be gone on with after a crash."""
