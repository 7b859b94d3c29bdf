"""What llama.cpp allocates for a model (source tree of October 2026)."""
