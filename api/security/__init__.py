"""The one door: who is asking, and may they."""
