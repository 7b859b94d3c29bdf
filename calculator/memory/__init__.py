"""Shape + workload + engine -> bytes, part by part, each with its reason."""
