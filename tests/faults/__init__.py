"""Kills, cut connections and crowds: what must hold when everything goes wrong at the worst moment."""
