"""Resumable, verified, segmented downloads."""
