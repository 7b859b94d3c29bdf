"""What model types are that are no decoders of text, told by the tasks that transformers' automatic classes name.

`python -m tests.reference.coverage.kinds > calculator/architecture/other_models.json` writes them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from tests.reference.coverage.known import KNOWN, is_read

Row = Mapping[str, Any]
WRITES = {"CAUSAL_LM", "IMAGE_TEXT_TO_TEXT", "MULTIMODAL_LM"}
SPEECH = re.compile(r"AUDIO|CTC|RNNT|TDT|SPEECH|SPECTROGRAM|WAVEFORM")
ENCODER = {"MASKED_LM", "MULTIPLE_CHOICE", "NEXT_SENTENCE_PREDICTION"}
LABELS = {
    *("QUESTION_ANSWERING", "DOCUMENT_QUESTION_ANSWERING", "SEQUENCE_CLASSIFICATION", "TOKEN_CLASSIFICATION"),
    *("TEXT_ENCODING", "PRETRAINING"),
}
PICTURES = re.compile(
    r"IMAGE|VIDEO|SEGMENTATION|DETECTION|DEPTH|BACKBONE|KEYPOINT|POSE|MASK_GEN|TEXT_RECOG|TABLE_RECOG"
)
PART = re.compile(r"_(vision|audio|encoder|decoder)$")
# vLLM 0.33.0, `config/speculative.py`, `MTPModelTypes`
MTP_OF = (
    *("dots3_note", "mimo", "mimo_v2", "glm4_moe", "glm4_moe_lite", "glm_ocr", "ernie", "nemotron_h", "exaone_moe"),
    *("exaone4_5", "qwen3_next", "qwen4_exp", "qwen3_5", "longcat_flash", "bailing_hybrid_v3", "bailing_hybrid"),
    *("kimi_k3", "pangu_ultra_moe", "step3p5", "step5", "hy_v3", "hy_v4", "gemma4", "inkling", "glm5_next"),
)
BY_HAND: dict[str, tuple[str, ...]] = {
    "is_text_encoder": (
        *("bert-generation", "dpr", "embedding_gemma2", "layoutxlm", "splinter", "lxmert", "visual_bert", "flava"),
        *("colqwen2", "shieldgemma2", "openai_privacy_filter", "new", "jina_bert_v2", "neobert"),
        *("modern-bert", "neo-bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "gemma-embedding"),
        *("llama-embed", "t5encoder", "cost_wise_gemma", "kanana2vec", "colqwen3"),
    ),
    "is_encoder_decoder": (
        "rag",
        "trocr",
        "florence2",
        "florence2_language",
        "nougat",
    ),
    "is_image_text_encoder": (
        "aimv2",
        "groupvit",
        "xclip",
        "vision-text-dual-encoder",
        "bridgetower",
        "pe_video",
        "tvp",
    ),
    "is_image_model": (
        *("mgp-str", "radio", "sam3", "sam3_lite_text", "sam3_tracker_video", "seggpt", "uvdoc", "davit"),
        *("glm_image", "upernet", "sam2_hiera_det_model"),
    ),
    "is_speech_model": (
        *("clap", "clvp", "dac", "encodec", "mimi", "neucodec", "univnet", "xcodec", "xcodec2", "wavtokenizer"),
        *("higgs_audio_v2_tokenizer", "pe_audio", "pe_audio_video", "parakeet_encoder", "lasr_encoder", "moshi"),
        *(
            "speecht5_hifigan",
            "fastspeech2_conformer_hifigan",
            "wavtokenizer-dec",
            "parler_tts",
            "xtts",
            "nemo_speechlm",
        ),
        *("pocket_tts_audio_tokenizer", "vibevoice_acoustic_tokenizer"),
    ),
    "is_time_series_model": ("autoformer", "informer", "time_series_transformer"),
    "is_protein_model": ("esm", "esmc", "esmfold2", "evo2", "hyenadna", "molformer", "progen"),
    "is_policy": ("decision_transformer", "pi0", "openvla"),
    "is_text_diffusion": (
        *("diffusion_gemma", "diffusion_gemma_encoder_text", "diffusion_gemma_text", "Dream", "dream", "llada"),
        *("lladamoe", "llada_moe", "llada2_moe", "llada-moe", "rnd1", "sdar", "sdar_moe"),
        *("llava_llada", "nemotron_labs_diffusion", "nemotron_labs_diffusion_vlm"),
        *("a2d-qwen3", "diffuqwen35", "diffurefill", "expivme_diffusion", "illada", "kiyo_diffusion", "metadiffusion"),
        "wedlm",
    ),
    "draft_head": (
        *("gemma4_assistant", "gemma4_unified_assistant", "muse_glimmer_assistant", "medusa", "eagle", "speculators"),
        *("eagle3", "dflash", "gemma4-assistant"),
        *(
            "mlp_speculator",
            "k3_dspark",
            "muse_spark_dspark",
            "deepseek_mtp",
            "deepseek_v4_dspark",
            "dspark",
            "gemma4_dspark",
            "qwen3_dspark",
            "deepseek_v4_mtp",
            "minimax_m3_mtp",
        ),
        *(f"{target}_mtp" for target in MTP_OF),
    ),
}
"""Those that no automatic class tells: by what their documentation says, and GGUF's names of such."""
NAMED = {model_type: kind for kind, types in BY_HAND.items() for model_type in types}


def kind(model_type: str, row: Row, parts: frozenset[str] = frozenset()) -> str | None:
    """The reason by which a type is refused, None for one that writes text."""
    tasks, writes = set(row["tasks"]), bool(WRITES & set(row["tasks"]))
    if model_type in NAMED:
        return NAMED[model_type]
    if any(SPEECH.search(task) for task in tasks):
        return "is_speech_model"
    if not writes and any(PICTURES.search(task) for task in tasks - {"ZERO_SHOT_IMAGE_CLASSIFICATION"} - ENCODER):
        zero_shot = any(task.startswith("ZERO_SHOT") for task in tasks)
        return "is_image_text_encoder" if zero_shot else "is_image_model"
    if tasks and (row.get("encoder_decoder") or "SEQ_TO_SEQ_CAUSAL_LM" in tasks) and not has_sound(row):
        return "is_encoder_decoder"
    if tasks & ENCODER or (tasks and tasks <= LABELS):
        return "is_text_encoder"
    if any(task.startswith("TIME_SERIES") for task in tasks):
        return "is_time_series_model"
    if not writes and any(task.startswith(("ZERO_SHOT", "RETRIEVAL", "VISUAL_QUESTION")) for task in tasks):
        return "is_image_text_encoder"
    return "is_part" if not tasks and (model_type in parts or PART.search(model_type)) else None


def has_sound(row: Row) -> bool:
    return "audio_config" in row.get("parts", {})


def inside(row: Row) -> Iterator[str]:
    for part in row.get("parts", {}).values():
        yield part["model_type"]
        yield from inside({"parts": {key: value for key, value in part.items() if key != "model_type"}})


def other_models(rows: Mapping[str, Row]) -> dict[str, list[str]]:
    parts = frozenset(name for row in rows.values() for name in inside(row))
    found = dict(NAMED)
    for model_type, row in rows.items():
        reason = kind(model_type, row, parts)
        if reason is not None:
            found[model_type] = reason
    unread = {name: reason for name, reason in found.items() if not is_read(name, rows.get(name, {}))}
    reasons = sorted(set(unread.values()))
    return {reason: sorted(name for name, own in unread.items() if own == reason) for reason in reasons}


if __name__ == "__main__":
    json.dump(other_models(KNOWN["transformers"]["types"]), sys.stdout, indent=1)
    print()
