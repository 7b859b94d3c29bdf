"""How many multiprocessors NVIDIA's cards have, as their architecture's white papers and product pages say."""

from __future__ import annotations

import re
from functools import lru_cache

_FAMILY = re.compile(r"^(?:NVIDIA |GeForce |Tesla |Quadro )+")

_COUNTS = {
    **{"GTX 1060": 10, "GTX 1070": 15, "GTX 1080": 20, "GTX 1080 Ti": 28, "P40": 30, "P100": 56},
    **{"V100": 80, "TITAN V": 80, "TITAN RTX": 72, "T4": 40, "RTX 8000": 72, "GTX 1660": 22, "GTX 1660 Ti": 24},
    **{"RTX 2060": 30, "RTX 2060 12GB": 34, "RTX 2070": 36, "RTX 2080": 46, "RTX 2080 Ti": 68},
    **{"A100": 108, "A800": 108, "A30": 56, "A10": 72, "A40": 84, "A2": 10, "A16": 10},
    **{"RTX A2000": 26, "RTX A4000": 48, "RTX A5000": 64, "RTX A6000": 84},
    **{"RTX 3050": 20, "RTX 3060": 28, "RTX 3060 Ti": 38, "RTX 3070": 46, "RTX 3070 Ti": 48, "RTX 3080": 68},
    **{"RTX 3080 12GB": 70, "RTX 3080 Ti": 80, "RTX 3090": 82, "RTX 3090 Ti": 84},
    **{"RTX 4060": 24, "RTX 4060 Laptop": 24, "RTX 4060 Ti": 34, "RTX 4070": 46, "RTX 4070 SUPER": 56},
    **{"RTX 4070 Laptop": 36, "RTX 4070 Ti": 60, "RTX 4070 Ti SUPER": 66, "RTX 4080": 76, "RTX 4080 SUPER": 80},
    **{"RTX 4080 Laptop": 58, "RTX 4090": 128, "RTX 4090 D": 114, "RTX 4090 Laptop": 76},
    **{"L4": 58, "L20": 92, "L40": 142, "L40S": 142, "RTX 2000 Ada": 22, "RTX 4000 Ada": 48, "RTX 4500 Ada": 60},
    **{"RTX 5000 Ada": 100, "RTX 6000 Ada": 142},
    **{"RTX 5060": 30, "RTX 5060 Ti": 36, "RTX 5070": 48, "RTX 5070 Ti": 70, "RTX 5080": 84, "RTX 5080 Laptop": 60},
    **{"RTX 5090": 170, "RTX 5090 D": 170, "RTX 5090 Laptop": 82},
    **{"RTX PRO 4000": 70, "RTX PRO 4500": 82, "RTX PRO 5000": 110, "RTX PRO 6000": 188},
    **{"H100": 132, "H100 PCIe": 114, "H800": 132, "H20": 78, "H200": 132, "GH200": 132},
    **{"Jetson Orin Nano": 8, "Jetson AGX Orin": 16, "Jetson AGX Thor": 20},
    **{"B100": 148, "B200": 148, "GB200": 148, "B300": 148, "GB300": 148, "DGX Spark": 48},
}


@lru_cache(maxsize=512)
def multiprocessors(name: str) -> int | None:
    """Those of the card with the longest of the names above at the beginning of `name`; None for others."""
    words = f"{_FAMILY.sub('', name)} "
    known = max((each for each in _COUNTS if words.startswith(f"{each} ")), key=len, default=None)
    return None if known is None else _COUNTS[known]
