"""Doors: one transport and one pure renderer per platform. They translate, and nothing else."""
