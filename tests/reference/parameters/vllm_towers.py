"""Counts the parameters of encoders as vLLM's own classes make them on PyTorch's meta device, on one rank.

`python tests/reference/parameters/vllm_towers.py` prints, for each line of `own_code.jsonl`, what is counted of all
that stands in front of the language model. Needs vLLM and timm, which the project itself does not.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from transformers.models.idefics2.configuration_idefics2 import Idefics2VisionConfig
from vllm.config import DeviceConfig, VllmConfig, set_current_vllm_config
from vllm.distributed import init_distributed_environment, initialize_model_parallel
from vllm.model_executor.models import deepencoder, deepseek_ocr, deepseek_vl2, dots_ocr, intern_vit, minicpmv, phi3v
from vllm.transformers_utils.configs.deepseek_vl2 import MlpProjectorConfig
from vllm.transformers_utils.configs.dotsocr import DotsVisionConfig

LINES = Path(__file__).with_name("own_code.jsonl")


def vector(*shape: int) -> nn.Module:
    return nn.ParameterList([nn.Parameter(torch.empty(*shape))])


def internvl(config: dict[str, Any]) -> Iterator[nn.Module]:
    vision = {"layer_norm_eps": 1e-6, "num_channels": 3, "hidden_act": "gelu", **config["vision_config"]}
    yield intern_vit.InternVisionModel(SimpleNamespace(**{"initializer_factor": 1.0, **vision}))
    joined = vision["hidden_size"] * int(1 / config["downsample_ratio"]) ** 2
    hidden = config["llm_config"]["hidden_size"]  # `InternVLChatModel._init_mlp1`
    yield nn.Sequential(nn.LayerNorm(joined), nn.Linear(joined, hidden), nn.Linear(hidden, hidden))


def phi(config: dict[str, Any]) -> Iterator[nn.Module]:
    """vLLM drops CLIP's last layer and norm, which the file has: all are counted."""
    clip = phi3v.CLIP_VIT_LARGE_PATCH14_336_CONFIG
    vision = SimpleNamespace(**{**config, "img_processor": {**config["img_processor"], "layer_idx": -1}})
    yield phi3v.Phi3HDImageEmbedding(vision, None)
    assert clip.num_hidden_layers == 24


def deepseek(config: dict[str, Any]) -> Iterator[nn.Module]:
    projector = MlpProjectorConfig(**config["projector_config"])
    yield deepseek_vl2.MlpProjector(projector)
    yield vector(2, projector.n_embed)
    if config["architectures"] == ["DeepseekOCRForCausalLM"]:
        yield deepencoder.build_sam_vit_b()
        sizes = {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16, "num_hidden_layers": 24}
        clip = deepseek_ocr.CLIPVisionConfig(image_size=224, patch_size=14, projection_dim=512, **sizes)
        yield deepencoder.DeepCLIPVisionTransformer(clip)
    else:
        import timm

        with torch.device("cpu"):
            yield timm.create_model("vit_so400m_patch14_siglip_384.webli", pretrained=False, num_classes=0)


def minicpm(config: dict[str, Any]) -> Iterator[nn.Module]:
    c = Idefics2VisionConfig(**{key: value for key, value in config["vision_config"].items() if key != "model_type"})
    model = minicpmv.Idefics2VisionTransformer(c)
    if config["drop_vision_last_layer"]:
        model.encoder.layers = model.encoder.layers[:-1]
    yield model
    hidden = config["hidden_size"]
    with torch.device("cpu"):
        yield minicpmv.Resampler2_5(config["query_num"], hidden, hidden // 128, c.hidden_size)


def dots(config: dict[str, Any]) -> Iterator[nn.Module]:
    yield dots_ocr.DotsVisionTransformer(DotsVisionConfig(**config["vision_config"]))


MAKERS = {"deepseek_vl_v2": deepseek, "dots_ocr": dots, "internvl_chat": internvl, "minicpmv": minicpm, "phi3_v": phi}


def main() -> None:
    settings = VllmConfig(device_config=DeviceConfig(device="cpu"))
    with set_current_vllm_config(settings):
        init_distributed_environment(1, 0, f"file://{tempfile.mkdtemp()}/store", 0, "gloo")
        initialize_model_parallel(1, 1)
        for line in LINES.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            if case["config"]["model_type"] not in MAKERS:  # no encoder
                continue
            with torch.device("meta"):
                modules = list(MAKERS[case["config"]["model_type"]](case["config"]))
            counted = sum(math.prod(p.shape) for module in modules for p in module.parameters())
            print(case["name"], counted, "as written" if counted == case["vision"] else f"not {case['vision']}")


if __name__ == "__main__":
    main()
