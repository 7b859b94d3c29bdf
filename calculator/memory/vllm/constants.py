"""What public logs say that vLLM holds on one card: figures that depend on kernels, driver and card, each with the
least and the most that was seen.

`manage.py accuracy --held-out` fits those of workspaces, communication and graphs anew.
"""

from __future__ import annotations

from typing import NamedTuple

from calculator.memory.vllm.serving import is_data_centre_blackwell, is_hopper

MIB = 2**20


class Measured(NamedTuple):
    """Bytes of one card: what is counted, and the least and the most that logs show."""

    bytes: int
    least: int
    most: int


CUDA_CONTEXT = Measured(300 * MIB, 107 * MIB, 555 * MIB)
"""PyTorch with lazy loading: pytorch/pytorch issue 107667. It grows with the card's multiprocessors: RTX 4060 Ti and
RTX PRO 6000 (https://github.com/ggml-org/llama.cpp/pull/23604)."""

WORKSPACES_MIB = 1.1
WORKSPACES_LEAST_MIB, WORKSPACES_MOST_MIB = 0.6, 1.4
"""cuBLAS and kernels, of each multiprocessor, as a kernel's stack is kept for every thread that a card can run at once:
`non_torch_memory` of 0.03 GiB on an RTX 4060 (24), 0.04 on an RTX 2060 (34), 0.05 on a T4 (40) and 0.13 to 0.16 on H100
(132). The least is an RTX 4090 (128) that printed 0.08."""
FEWEST_MULTIPROCESSORS, ASSUMED_MULTIPROCESSORS, MOST_MULTIPROCESSORS = 20, 132, 188
"""Of a card that is not known; an H100 is assumed, as everywhere here."""

COMMUNICATION = Measured(120 * MIB, 60 * MIB, 350 * MIB)
"""NCCL and all-reduce: what is left of 0.15 and 0.20 GiB on RTX 3090 (vllm-project/vllm issue 15340, pull request
14447; by their 23.58 GiB), 0.30 on L40S (issue 15815) and 0.33 on RTX 5090 (issue 14452) without the workspaces."""
COMMUNICATION_ON_HOPPER = Measured(440 * MIB, 100 * MIB, 600 * MIB)
"""There ranks also reduce in memory that all of them map (`distributed/device_communicators/all_reduce_utils.py`,
`SYMM_MEM_ALL_REDUCE_MAX_SIZES`: capabilities 9 and 10 alone): 0.55 GiB with the workspaces on 2 H100 (llm-d-benchmark),
0.60 on 4 (vllm-project/vllm pull request 48601). Cards without NVLink may hold no more than others."""
COMMUNICATION_ON_BLACKWELL = COMMUNICATION_ON_HOPPER._replace(most=1600 * MIB)
"""The most is an allowance: no public figure of data-centre Blackwell stands beside it."""

GRAPH_PIECE_BYTES = 400 * 1024
"""Of a piece between two layers, for each size: three logs that captured pieces alone (noonghunna/club-3090, issues
104 and 127, pull request 44) print 0.13, 0.17 and 0.17 GiB for 65 pieces at 5, 7 and 7 sizes."""
GRAPH_LAYER_BYTES = 130 * 1024
"""Of a layer in a whole graph, for each size of decoding: 0.13 GiB where 35 graphs of 28 layers were captured and no
pieces (generative-computing/mellea, pull request 416), and what the fit to all figures says."""
GRAPHS_LEAST, GRAPHS_MOST = 0.5, 1.6
"""Logs lie so far around the two: 0.59 to 1.53 times, but for builds that captured something else."""


def workspaces(multiprocessors: int | None) -> Measured:
    """
    >>> [size // MIB for size in workspaces(132)]
    [145, 79, 184]
    """
    fewest, most = FEWEST_MULTIPROCESSORS, MOST_MULTIPROCESSORS
    if multiprocessors is not None:
        fewest = most = multiprocessors
    counted = WORKSPACES_MIB * (multiprocessors or ASSUMED_MULTIPROCESSORS)
    return Measured(int(counted) * MIB, int(WORKSPACES_LEAST_MIB * fewest) * MIB, int(WORKSPACES_MOST_MIB * most) * MIB)


def communication(capability: tuple[int, int]) -> Measured:
    if is_hopper(capability):
        return COMMUNICATION_ON_HOPPER
    return COMMUNICATION_ON_BLACKWELL if is_data_centre_blackwell(capability) else COMMUNICATION
