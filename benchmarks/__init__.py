"""Side by side with what people use today. `make bench` runs all of it."""
