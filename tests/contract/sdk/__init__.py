"""The parts of the SDK, public and private, that the tap relies on."""
