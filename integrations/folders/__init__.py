"""Folders of this machine that hold models already: which of them may be used, and what lies in them."""

from integrations.folders.found import Found, FoundFile, Scan
from integrations.folders.looking import look_into, scan
from integrations.folders.places import allowed_folder, inside_roots

__all__ = ["Found", "FoundFile", "Scan", "allowed_folder", "inside_roots", "look_into", "scan"]
