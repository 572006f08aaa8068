"""The parts of intake: unpack an upload, check its text, write the store."""
