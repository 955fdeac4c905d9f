"""Folders of Hugging Face, family by family: their tensor names and their settings."""
