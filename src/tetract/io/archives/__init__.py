"""Archives, unpacked without trust."""
