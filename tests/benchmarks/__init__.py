"""Figures, never assertions: each row runs its baseline beside ours and prints the ratio. ``make bench`` runs all."""
