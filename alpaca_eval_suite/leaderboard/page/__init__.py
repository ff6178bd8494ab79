"""The page: boards as one HTML file that opens anywhere, with the details of every instance in files beside it."""
