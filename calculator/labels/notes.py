"""Assumptions and limits that stand beside a number."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from calculator.figures import gb, gib
from calculator.labels.names import written
from calculator.memory import Note

NOTES: Mapping[str, Promise] = {
    "llama_cpp_build": gettext_lazy("llama-server of %(build)s, in micro-batches of %(micro_batch)s tokens."),
    "tied_embedding_twice": gettext_lazy(
        "Input and output share one embedding table; llama.cpp keeps it on the card for the output and once more in RAM for the lookup."
    ),
    "embedding_in_ram": gettext_lazy("The token embedding stays in RAM even when every layer is on the card."),
    "window_not_used": gettext_lazy(
        "llama.cpp does not use the window of %(window)s tokens of %(layers)s layers and caches the whole context there."
    ),
    "needs_importance_matrix": gettext_lazy(
        "llama-quantize does not make %(format)s without an importance matrix: turn that setting on for the size of published files."
    ),
    "own_file": gettext_lazy(
        "The weights are taken from the size of your file: its bytes are spread over cards and RAM in the proportions of %(format)s. The few MB of vocabulary in the file are counted as weights."
    ),
    "own_cache_per_sequence": gettext_lazy(
        "Each of the %(sequences)s sequences has its own cache for %(context)s tokens."
    ),
    "slots_share_context": gettext_lazy(
        "%(sequences)s slots share one cache of %(context)s tokens; llama-server starts with four unless told otherwise."
    ),
    "without_flash_attention": gettext_lazy(
        "Flash attention is off: the scores of every token with every cell are held, and the mask in 32 bits."
    ),
    "back_end_metal": gettext_lazy(
        "On Apple's chips llama.cpp runs on Metal. What runs there, how large it is and in which order follows the Metal back end of October 2026. Its attention keeps room for one layer's keys and values in 16 bits, whatever the cache is stored in; builds before llama.cpp's pull request 27390 (August 2026) do not. Weights in NVFP4 or TQ1_0 have no kernel there and run on the CPU, which is not modelled."
    ),
    "back_end_vulkan": gettext_lazy(
        "This card runs llama.cpp on Vulkan. What runs there and in which order follows the Vulkan back end of October 2026, for a device with subgroups. A quantised cache is read as it is stored, without a 16-bit copy. What Vulkan's kernels take when they first run (for unpacked weights, for example) and what the driver keeps are not known: the overhead is that of CUDA."
    ),
    "back_end_cpu": gettext_lazy(
        "No card: a build of llama.cpp for the CPU alone keeps and computes all of it in RAM."
    ),
    "back_end_other": gettext_lazy(
        "llama.cpp runs this card through a back end such as CANN, or through none that we know. Its buffers were not compared with a run: they are computed like CUDA's, without a 16-bit copy of a quantised cache, and where flash attention can run is taken from CUDA's kernels."
    ),
    "back_end_not_compared": gettext_lazy(
        "The compute buffers of this back end were compared with llama.cpp's own scheduler where one card holds all layers; with layers or experts in RAM, or on several cards, they follow from the same rules, unchecked."
    ),
    "flash_attention_in_ram": gettext_lazy(
        "What runs the card has no flash attention for these head sizes or this type of cache, and quantised values need it: attention runs in RAM, slowly."
    ),
    "reads_hidden_states": gettext_lazy(
        "Draft heads of this kind read hidden states of several layers, which not every class of this engine hands on: "
        "whether this model's does was not checked here."
    ),
    "predicts_in_second_context": gettext_lazy(
        "The model guesses %(tokens)s tokens ahead in a second context, whose cache is %(format)s unless -ctkd and -ctvd say otherwise. The file has to hold the layers of multi-token prediction."
    ),
    "prediction_not_checked": gettext_lazy(
        "The compute buffer of multi-token prediction was compared with llama-server for dense Qwen3.5 and 3.6 models on one card; here it follows from the same rules, unchecked."
    ),
    "prediction_graph_not_known": gettext_lazy(
        "How this model computes its layers of multi-token prediction is not known: their compute buffer is estimated by the widest layer."
    ),
    "context_above_model": gettext_lazy("%(context)s tokens are more than the %(most)s the model is made for."),
    "vllm_build": gettext_lazy(
        "vLLM %(version)s, with up to %(batched_tokens)s tokens in one step and %(sequences)s sequences."
    ),
    "vllm_reserves": gettext_lazy(
        "This is what the workload needs. The server itself takes %(percent)s%% of each card when it starts and gives what is left to the KV cache."
    ),
    "vllm_reserves_bytes": gettext_lazy(
        "This is what the workload needs. The server itself reserves %(percent)s%% of each card when it starts, %(bytes)s GiB in all."
    ),
    "vllm_encoder_at_work": gettext_lazy(
        "When it starts, vLLM also runs the encoder on the largest image that it takes. How large that is stands in preprocessor_config.json and not in config.json, so what the encoder needs beside its weights is not counted."
    ),
    "vllm_encoder_by_tokens": gettext_lazy(
        "When it starts, vLLM also runs the encoder on the largest image that it takes. How large that is stands in preprocessor_config.json (size.longest_edge) and not in config.json, so it is not counted. It takes about %(mib)s MiB a card for every 1,024 tokens of that image, and matters where that is more than all other activations together."
    ),
    "cache_of_checkpoint": gettext_lazy(
        "The checkpoint was made for a KV cache in FP8: where nothing else is asked, the server stores it so (%(format)s)."
    ),
    "vllm_hybrid_blocks": gettext_lazy(
        "Layers of different kinds share one pool: blocks hold %(block_tokens)s tokens, in %(groups)s groups."
    ),
    "format_range": gettext_lazy(
        "Published checkpoints in %(format)s differ in what they leave in 16 bits: counted are %(least_bytes)s GB, with every matrix of the layers in %(format)s; with attention and shared experts in 16 bits there are %(most_bytes)s GB. The checkpoint's own config.json says which."
    ),
    "latent_replicated": gettext_lazy("Each of the %(copies)s cards keeps the whole latent cache."),
    "sglang_build": gettext_lazy(
        "SGLang %(version)s, with prefill chunks of %(chunk)s tokens and decode graphs for up to %(sequences)s sequences."
    ),
    "sglang_static": gettext_lazy(
        "The server gives %(percent)s%% of each card to weights and cache when it starts, %(bytes)s GiB in all, and leaves the rest to activations and graphs."
    ),
    "sglang_window_pool": gettext_lazy(
        "Layers with a window have their own pool, %(percent)s%% as long as that of the full layers whatever the window (--swa-full-tokens-ratio)."
    ),
    "sglang_state_slots": gettext_lazy(
        "Each sequence takes %(slots)s recurrent states: the prefix cache keeps snapshots beside the running one."
    ),
    "mlx_build": gettext_lazy(
        "mlx-lm %(version)s with mlx %(mlx)s on a Max or Ultra chip, with prompts in pieces of %(tokens)s tokens. Python itself and macOS come on top."
    ),
    "mlx_prompt_caches": gettext_lazy(
        "mlx_lm.server keeps the caches of up to %(caches)s finished prompts beside this; --prompt-cache-bytes bounds them."
    ),
    "mlx_one_by_one": gettext_lazy(
        "mlx_lm.server cannot batch with these caches: requests run one after another, and each keeps its own."
    ),
    "mlx_packed_from_start": gettext_lazy(
        "The cache is quantised from the first token on (--quantized-kv-start 0); by default that begins at token 5,000. Attention on it runs without a dedicated kernel and keeps its scores in memory."
    ),
    "mlx_text_only": gettext_lazy("mlx-lm loads the language model alone, no encoder of images or sound."),
    "transformers_build": gettext_lazy("Transformers %(version)s with its dynamic cache."),
    "reads_first": gettext_lazy(
        "An encoder reads and a decoder writes: the context is what is read and what is written together, as the decoder keeps keys and values of both; the longest is both at their most."
    ),
    "sees_first": gettext_lazy(
        "An encoder reads an image and a decoder writes: the context is what is written, and each layer also keeps keys and values of the image's %(tokens)s positions."
    ),
    "diffusion_whole": gettext_lazy(
        "Writes by diffusion: each step reads the whole sequence anew and scores every position, and no keys and values are kept. Code that keeps a cache of finished blocks takes other memory."
    ),
    "diffusion_blocks": gettext_lazy(
        "Writes by diffusion, block by block: keys and values of finished blocks are counted as cached, and scores of one block, or of one token where the file does not say how long a block is."
    ),
    "prompt_in_one_pass": gettext_lazy("The whole prompt of %(tokens)s tokens goes through in one pass."),
    "prompt_not_measured": gettext_lazy(
        "What a prompt takes with these layers was read from the code and not measured on a card: it may be up to twice as much."
    ),
    "computes_in_f32": gettext_lazy(
        "Loaded in FP32, a model computes in 32 bits and caches what it computed: its KV cache is always in f32."
    ),
    "nf4_single_quantisation": gettext_lazy("NF4 without double quantisation, the default of bitsandbytes."),
    "bitsandbytes_skips_experts": gettext_lazy(
        "bitsandbytes quantises linear layers only: experts that are stored stacked stay in 16 bits."
    ),
}

# What was assumed because the reader asked to (`read_config(..., assume_standard=True)`), or because of what the file is.
ASSUMPTIONS: Mapping[str, Promise] = {
    "standard_decoder": gettext_lazy(
        "Assumed, not known: this model type is read by the standard keys, as a decoder like Llama."
    ),
    "params_file": gettext_lazy(
        "Read from params.json, the file of the publisher's own code: the output layer counts apart from the embedding unless it says otherwise, as that code stores it, and a context length that it does not state is not known."
    ),
    "gguf_file": gettext_lazy(
        "Read from the header of a GGUF file: “GGUF” is that very file, with the type of every tensor as it says. All other formats and engines count as made from the model in 16 bits."
    ),
    "gguf_metadata": gettext_lazy(
        "Read from the metadata of a GGUF file without a list of its tensors: the weights count in the format that is chosen, not as in that file."
    ),
    "checkpoint_stores": gettext_lazy(
        "The index beside it says that the files of the checkpoint hold %(value)s of tensors, encoders and layers of multi-token prediction included."
    ),
    "file_stores": gettext_lazy(
        "The header beside it lists %(value)s of tensors in that safetensors file, which may be one of several."
    ),
    "text_only": gettext_lazy("Assumed, not known: of this file only the language model is read, no encoder."),
    "mlx_checkpoint": gettext_lazy(
        "This checkpoint is quantised for MLX, and the other engines here do not load it: for them the figures are those of the model that it was made from."
    ),
    "transformers_checkpoint": gettext_lazy(
        "This checkpoint is quantised by %(value)s, which of the engines here only transformers loads: for the others the figures are those of the model that it was made from."
    ),
    "unpacked_when_loaded": gettext_lazy(
        "The files of this checkpoint hold packed weights (%(value)s), which are unpacked while they are loaded: the figures are those of weights in 16 bits, and the download is smaller."
    ),
    "mlx_modules_unknown": gettext_lazy(
        "Assumed, not known: this checkpoint sets some modules apart by names that are not known here; they count as quantised like the rest."
    ),
    "one_layer": gettext_lazy(
        "A model of one layer. Draft heads of EAGLE-1 look so, too, where they name the class of their target: if this is one, write %(value)sEagle into architectures."
    ),
    "method_not_modelled": gettext_lazy(
        "How this checkpoint is quantised (%(value)s) is not modelled here: the figures are those of the model that it was made from."
    ),
    "modules_not_listed": gettext_lazy(
        "Assumed, not known: this checkpoint stores its modules in several formats, and the file does not say which in which, so all count as 16 bits. The list is in hf_quant_config.json beside it, or in the original config.json."
    ),
    "default_taken": gettext_lazy(
        "Not in the file, but taken from the defaults of its model type: %(value)s. If the model has other values, so has the figure."
    ),
    "default_not_taken": gettext_lazy(
        "The file does not say whether the default of its model type holds (%(value)s): it is read as none, as published files of this type mean it."
    ),
    "stated_twice": gettext_lazy(
        "The file states one size in several ways that disagree (%(value)s): the first is read. If another is meant, the figure differs."
    ),
    "encoder_not_described": gettext_lazy(
        "The file does not describe its encoder (%(value)s is missing or null): the default of its model type is counted, and the model's own may be larger or smaller."
    ),
    "state_width_not_said": gettext_lazy(
        "The file does not say how wide the recurrent state is (%(value)s): engines then keep it in 16 bits, with float32 it is twice as large."
    ),
    "no_language_head": gettext_lazy(
        "The class that the file names (%(value)s) has no output head for tokens, so none is counted among the weights. Engines that are asked to generate would need one."
    ),
    "name_says_quantised": gettext_lazy(
        "The model's name says %(value)s, and the file says nothing of a quantisation: its weights count as wide. If hf_quant_config.json lies beside it, give that, too."
    ),
}


def note_text(note: Note) -> str:
    """The sentence for a note, in the active language."""
    if note.key == "assumption":
        return assumption_text(str(note.values["text"]))
    values = written(note.values)
    if isinstance(size := note.values.get("bytes"), int):
        values["bytes"] = gib(size)
    files = {name: size for name, size in note.values.items() if name.endswith("_bytes") and isinstance(size, int)}
    values |= {name: gb(size) for name, size in files.items()}
    return str(NOTES[note.key]) % values


def assumption_text(key: str) -> str:
    """An assumption about the shape (`Shape.assumptions`), in the active language."""
    name, _colon, value = key.partition(":")
    return str(ASSUMPTIONS[name]) % {"value": value}
