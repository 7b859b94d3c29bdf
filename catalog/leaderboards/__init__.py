"""The boards, the page of a benchmark, and what stands behind the ranks: the method, what moved, every release."""
