"""What runs found, as entries that can be traced, compared and shown."""
