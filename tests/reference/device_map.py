"""What accelerate's `infer_auto_device_map` answers for `device_map="auto"`, on torch's meta device.

pip install torch transformers accelerate
python tests/reference/device_map.py CONFIG.json ... > tests/reference/device_map.jsonl
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from accelerate import infer_auto_device_map, init_empty_weights
from accelerate.utils import get_balanced_memory
from transformers import AutoConfig, AutoModelForCausalLM

PLENTY = 10**15

for path in map(Path, sys.argv[1:]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = json.loads(path.read_text())
        raw.pop("quantization_config", None)
        config = AutoConfig.for_model(raw.pop("model_type"), **raw)
        with init_empty_weights():
            model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
        model.tie_weights()
    whole = list(model._no_split_modules or [])
    for cards in (2, 3, 4, 8):
        most = get_balanced_memory(model, dict.fromkeys(range(cards), PLENTY) | {"cpu": PLENTY}, whole)
        places = infer_auto_device_map(model, most, whole, clean_result=False)
        layers: dict[int, int] = {}
        other = {}
        for name, card in places.items():
            parts = name.split(".")
            if "layers" in parts:
                index = parts.index("layers")
                if len(parts) > index + 1:
                    layers[int(parts[index + 1])] = card
                else:  # the whole list fits
                    layers |= dict.fromkeys(range(config.get_text_config().num_hidden_layers), card)
            else:
                other[parts[-1]] = card
        counts = [sum(place == card for place in layers.values()) for card in range(cards)]
        kept = {name: other[name] for name in ("embed_tokens", "norm", "lm_head") if name in other}
        print(json.dumps({"config": path.parent.name, "cards": cards, "layers": counts, **kept}))
