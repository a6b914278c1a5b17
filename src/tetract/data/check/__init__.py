"""What a folder holds, before anybody trains on it."""
