"""The sandbox deployment: started once, for real."""
