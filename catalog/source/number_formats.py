"""Which short number formats a chip multiplies, where its architecture settles it: one rule for all its cards.

Where no rule is known a card says it itself, by a rate or by its sources, or leaves it out: not known. A vendor's table
that lists what a chip multiplies settles what it does not; silence about a chip settles nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from catalog.source.facts import Finding
from catalog.source.records import AcceleratorRecord

NO, FP8, BOTH = (False, False), (True, False), (True, True)  # FP8, FP4

# NVIDIA, by compute capability: https://nvidia.github.io/TransformerEngine/support_matrix.html
SINCE_CAPABILITY = ((8, 9), (10, 0))
BY_ARCHITECTURE: Mapping[str, tuple[bool | None, bool | None]] = {
    # AMD: "Device compatibility" of FP8 and of FP4 in
    # https://rocm.docs.amd.com/projects/HIP/en/latest/reference/low_fp_types.html; RDNA 3.5 is listed with RDNA 3.
    # Older than any matrix unit: https://gpuopen.com/learn/amd-lab-notes/amd-lab-notes-matrix-cores-readme/
    "GCN 5.1 (Vega 20)": NO,
    "CDNA 1": NO,
    "CDNA 2": NO,
    "CDNA 3": FP8,
    "CDNA 4": BOTH,
    "RDNA 2": NO,
    "RDNA 3": NO,
    "RDNA 3.5": NO,
    "RDNA 4": FP8,
    # Intel, "Intel XMX Supported Combinations" in sycl_ext_oneapi_matrix.asciidoc of https://github.com/intel/llvm
    "Xe-HPG": NO,
    "Xe2-HPG": NO,
    # Apple, SIMD-group matrices in https://developer.apple.com/metal/Metal-Shading-Language-Specification.pdf: half,
    # bfloat and float. What the matrix units that came with M5 multiply Apple has not said.
    "Apple M1": NO,
    "Apple M2": NO,
    "Apple M3": NO,
    "Apple M4": NO,
    # Huawei, aclDataType 33 to 41 by product:
    # https://www.hiascend.com/document/detail/zh/canncommercial/900/API/runtimeapi/aclcppdevg_03_1346.html
    "Da Vinci": NO,
    "Da Vinci (Ascend 950)": BOTH,
    # AWS: https://awsdocs-neuron.readthedocs-hosted.com/en/latest/about-neuron/arch/neuron-hardware/neuron-core-v3.html
    "NeuronCore-v3": FP8,
    "NeuronCore-v4": BOTH,
    # Google, jax/_src/pallas/mosaic/tpu_info.py of https://github.com/jax-ml/jax: no FP8 rate for v5e. For v6e it is
    # that of BF16, so whether FP8 is multiplied or converted stays open. It has no rates for FP4.
    "TPU v5e": (False, None),
}


def settled(record: AcceleratorRecord) -> tuple[bool | None, bool | None]:
    """Whether the card multiplies FP8 and FP4 by the rule of its architecture; None where there is no rule."""
    if record.vendor == "nvidia" and record.compute_capability:
        major, minor = map(int, record.compute_capability.split("."))
        fp8, fp4 = ((major, minor) >= first for first in SINCE_CAPABILITY)
        return fp8, fp4
    return BY_ARCHITECTURE.get(record.architecture, (None, None))


def check_accelerator(record: AcceleratorRecord) -> Iterator[Finding]:
    """Where what a card says of FP8 and FP4 contradicts its own rates, or the rule."""
    stated = (record.supports_fp8, record.supports_fp4)
    rates = (record.fp8_tflops, record.fp4_tflops)
    for name, value, rate, rule in zip(("FP8", "FP4"), stated, rates, settled(record), strict=True):
        key = f"supports_{name.lower()}"
        if rate is not None and not value:
            yield Finding(key, "format_rated", {"format": name})
        elif rule is not None and value is not rule:
            chip = f"{record.architecture} {record.compute_capability}".strip()
            yield Finding(key, "format_present" if rule else "format_absent", {"format": name, "architecture": chip})
