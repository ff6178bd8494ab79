"""Alpaca Eval Suite: instructions, checkpoint, verdict, as a plugin of Stanford's HELM."""
