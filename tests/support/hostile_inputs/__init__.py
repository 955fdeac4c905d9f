"""Hostile inputs for tests/campaign.py: how they are made, and which answers to them are right."""
