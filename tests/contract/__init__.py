"""Tests of what users, targets and the SDK rely on."""
