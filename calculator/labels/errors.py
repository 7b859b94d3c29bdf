"""What was wrong with a question or a config.json, said to a reader."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.architecture import ConfigError
from calculator.figures import gb
from calculator.filters import space
from calculator.labels.names import MIXERS, written
from calculator.memory import WorkloadError

ERRORS: Mapping[str, Promise] = {
    "unknown": gettext_lazy("“%(value)s” is not known. Known: %(offered)s."),
    "not_offered": gettext_lazy("“%(value)s” is not offered for this model by this engine. Offered: %(offered)s."),
    "out_of_bounds": gettext_lazy("%(value)s is out of bounds: from %(least)s to %(most)s."),
    "size_out_of_bounds": gettext_lazy(
        "%(value)s GB cannot be a file of this model: from %(least)s GB, 1 bit for each weight, to %(most)s GB, 32 bits."
    ),
    "same_as_keys": gettext_lazy("This engine stores values like keys (%(keys)s), so “%(value)s” cannot be set apart."),
    "quantised_values": gettext_lazy("Without flash attention, values cannot be stored as %(value)s."),
    "not_divisible": gettext_lazy("%(size)s (%(name)s) cannot be split into %(value)s equal parts."),
    "cuts_group": gettext_lazy("A share of %(size)s of %(tensor)s cuts through the groups of %(group)s of %(format)s."),
    "shares_of_other_cards": gettext_lazy("%(value)s shares are given for %(cards)s cards: give one for each card."),
    "too_many_cards": gettext_lazy("This engine takes at most %(most)s cards, not %(value)s."),
    "not_shares": gettext_lazy("“%(value)s” are not shares: write a number from 0 to %(most)s for each card."),
    "only_with_prediction": gettext_lazy("“%(value)s” needs tokens that are guessed ahead (MTP)."),
    "more_stages_than_layers": gettext_lazy("%(value)s stages are more than the model's %(most)s layers."),
    "layer_not_modelled": gettext_lazy("How this engine stores layers of the kind %(layer)s is not modelled."),
    "model_not_supported": gettext_lazy("This engine has no class for models of the type %(model_type)s."),
    "layer_not_supported": gettext_lazy(
        "This engine does not run this model: it has layers of a kind it does not know (%(layer)s)."
    ),
    "model_not_modelled": gettext_lazy(
        "What this engine allocates for models of the type %(model_type)s is not modelled."
    ),
    "class_not_named": gettext_lazy(
        "The file names no class, and none is known for the type %(model_type)s, so it cannot be told whether this engine runs it. Add the line “architectures” of the published config.json."
    ),
    "model_not_known": gettext_lazy("This engine does not know this model (%(value)s)."),
    "indexers_shared": gettext_lazy(
        "mlx-lm gives each layer its own indexer and does not load a model whose layers share them."
    ),
    "no_mtp_layers": gettext_lazy("This model has no layers that predict several tokens."),
    "mtp_not_described": gettext_lazy(
        "The config counts layers that predict several tokens (%(value)s). Either it does not say what they are, "
        "or they are not modelled here for models of the type %(model_type)s."
    ),
    "not_for_model": gettext_lazy("That is not known to work with models of the kind %(value)s."),
    "head_not_taken": gettext_lazy("A draft head of this kind (%(value)s) is not known of this engine here."),
    "not_with_stages": gettext_lazy("With %(value)s pipeline stages that is not modelled."),
    "not_supported": gettext_lazy("This engine does not offer that (%(value)s)."),
}

CONFIG_FAULTS: Mapping[str, Promise] = {
    "head_not_counted": gettext_lazy(
        "A draft head (%(kind)s) is not counted for %(engine)s here; it is for %(others)s."
    ),
    "head_too_long": gettext_lazy("This config.json is too long to go with the address of an answer."),
    "not_a_layer_of_target": gettext_lazy(
        "The draft head reads layer %(value)s, and the last of this model is %(most)s."
    ),
    "not_of_target": gettext_lazy(
        "The draft head was made for another model: it states %(value)s, and this model has %(target)s."
    ),
    "not_json": gettext_lazy("This is not valid JSON."),
    "not_an_object": gettext_lazy("A JSON object is expected here."),
    "too_large": gettext_lazy("The file is larger than a config.json can be."),
    "too_deep": gettext_lazy("The file is nested deeper than a config.json can be."),
    "too_many": gettext_lazy("The file holds more lists and objects than a config.json can."),
    "number_too_long": gettext_lazy("A number has too many digits."),
    "not_a_number": gettext_lazy("NaN and Infinity are not numbers a config.json can hold."),
    "missing": gettext_lazy("This key is missing and has no default for this model type."),
    "no_model_type": gettext_lazy(
        "This key is missing, so that nothing says which model this is: give the whole config.json of a model."
    ),
    "unknown_model_type": gettext_lazy("The model type “%(value)s” is not known."),
    "not_a_quantization": gettext_lazy("This file does not say how a checkpoint is quantised: quant_algo is missing."),
    "is_adapter": gettext_lazy(
        "This is a LoRA adapter, not a model: give the config.json of its base model (%(base)s); the adapter comes on top."
    ),
    "is_diffusers": gettext_lazy(
        "This describes a diffusion pipeline that makes images or video, not a language model."
    ),
    "is_index": gettext_lazy(
        "This is the index of a checkpoint in several files: give the config.json that lies in the same folder, and this beside it."
    ),
    "is_safetensors_header": gettext_lazy(
        "This is the header of a safetensors file: give the config.json that lies in the same folder, and this beside it."
    ),
    "is_quantization_alone": gettext_lazy(
        "This is hf_quant_config.json, which only says how a checkpoint is quantised: give the config.json, too."
    ),
    "is_quantize_config": gettext_lazy(
        "This only says how a checkpoint is quantised: give the config.json that lies in the same folder."
    ),
    "is_embedding_file": gettext_lazy(
        "This is a file of sentence-transformers, for embeddings: give the config.json that lies in the same folder."
    ),
    "is_training": gettext_lazy("This belongs to a training run: give the config.json that lies in the same folder."),
    "is_mlc": gettext_lazy(
        "This is mlc-chat-config.json of MLC LLM: give the config.json of the model that it was converted from."
    ),
    "is_served_list": gettext_lazy(
        "This lists the models that a server offers, and says nothing of their shapes: give the config.json of one of them."
    ),
    "is_refusal": gettext_lazy(
        "This says that a file was not found or may not be read, and is not the file itself: open the address again, signed in where the repository asks for it."
    ),
    "is_lfs_pointer": gettext_lazy(
        "This is a pointer of Git LFS, which stands in for the file: fetch the file itself with git lfs pull, or open it on the hub."
    ),
    "is_log": gettext_lazy(
        "This is a log, not a file of a model: the page “Check a log” reads logs. Give the model's config.json here."
    ),
    "is_name": gettext_lazy(
        "This is a name or a few words, not a file: search for the model by its name, or paste the config.json of its repository."
    ),
    "is_ollama_show": gettext_lazy(
        "This is what ollama show prints, which leaves out most of the shape: paste what Ollama's /api/show answers."
    ),
    "is_gguf_listing": gettext_lazy(
        "This is the text that gguf-dump prints: run it with --json, or choose the GGUF file itself."
    ),
    "is_tokenizer": gettext_lazy("This belongs to the tokeniser: give the config.json that lies in the same folder."),
    "is_processor": gettext_lazy(
        "This belongs to the preparation of images or sound: give the config.json that lies in the same folder."
    ),
    "is_generation": gettext_lazy(
        "This is generation_config.json, with settings for sampling: give the config.json that lies in the same folder."
    ),
    "is_hub_answer": gettext_lazy("This is a hub's answer about a repository: give the config.json among its files."),
    "is_ollama": gettext_lazy(
        "This is what Ollama says of a model: give the config.json of the model on Hugging Face or ModelScope."
    ),
    "is_gguf_dump": gettext_lazy("This describes a GGUF file, but does not list its metadata and tensors."),
    "is_gguf": gettext_lazy(
        "This is a GGUF file, pasted as text: choose the file itself, of which only the header is read."
    ),
    "is_mmproj": gettext_lazy(
        "This is an encoder for images or sound (mmproj), which runs beside a language model: give the model's own GGUF file."
    ),
    "gguf_broken": gettext_lazy("This is not the header of a GGUF file, or it is damaged."),
    "gguf_cut_off": gettext_lazy(
        "This is the beginning of a GGUF file, but its header goes on behind it (%(bytes)s bytes were read)."
    ),
    "gguf_part": gettext_lazy(
        "This is a GGUF file in %(parts)s parts, of which %(found)s of %(tensors)s tensors are here: choose all parts at once."
    ),
    "unknown_gguf_architecture": gettext_lazy(
        "The architecture “%(value)s” of this GGUF file is not known here: give the config.json of the model that it was converted from."
    ),
    "tensor_of_other_size": gettext_lazy(
        "This tensor has %(value)s elements, where the file's own metadata come to %(expected)s."
    ),
    "layer_without_tensors": gettext_lazy("The file lists no tensor of this layer."),
    "vocabulary_elsewhere": gettext_lazy(
        "This params.json leaves the size of the vocabulary to the tokeniser: give the config.json of the same model, or write the number here."
    ),
    "is_params": gettext_lazy(
        "This is params.json, which only the publisher's code reads: give the config.json of the same model in the layout of transformers."
    ),
    "is_archive": gettext_lazy("This is a compressed archive: give the config.json inside it."),
    "is_utf16": gettext_lazy("The file is UTF-16 text: save it as UTF-8."),
    "is_address": gettext_lazy(
        "This is an address, and nothing is fetched from here: open it, and copy the text of config.json among the files of the repository."
    ),
    "is_repository": gettext_lazy(
        "This names a repository, and nothing is fetched from here: open its config.json, copy all of its text and paste it here."
    ),
    "is_ollama_tag": gettext_lazy(
        "This names a model of Ollama's library, and nothing is fetched from here: paste what its /api/show answers."
    ),
    "is_page": gettext_lazy("This is a web page, not the file itself: open the raw file and copy its text."),
    "draft_head_unknown": gettext_lazy(
        "“%(value)s” is a draft head for speculative decoding of a kind whose layers are not known here."
    ),
    "no_draft_head": gettext_lazy("This is no draft head: no class, model type or key of one stands in it."),
    "draft_head": gettext_lazy(
        "“%(value)s” is a draft head for speculative decoding, not a model: it runs beside its target model and borrows embedding and output from it. Give the target's config.json."
    ),
    "is_text_encoder": gettext_lazy(
        "“%(value)s” is an encoder of texts, for embeddings, reranking or classification: it writes no text and has no KV cache. Only models that write text are computed here."
    ),
    "is_text_diffusion": gettext_lazy(
        "“%(value)s” writes text by diffusion: many tokens at once, over and over, instead of one after the other. Its layers are not known here."
    ),
    "is_encoder_decoder": gettext_lazy(
        "“%(value)s” is an encoder-decoder, as for translation or reading documents, of a kind whose layers are not known here."
    ),
    "is_image_text_encoder": gettext_lazy(
        "“%(value)s” compares images with texts, as CLIP does, and writes no text: it is not computed here."
    ),
    "is_image_model": gettext_lazy(
        "“%(value)s” is a model of images or video, as for classification, detection or segmentation: it is not computed here."
    ),
    "is_speech_model": gettext_lazy(
        "“%(value)s” is a model of speech or other sound, as for recognition or synthesis: it is not computed here."
    ),
    "is_time_series_model": gettext_lazy("“%(value)s” is a model that forecasts time series: it is not computed here."),
    "is_protein_model": gettext_lazy(
        "“%(value)s” is a model of proteins, genes or molecules: it is not computed here."
    ),
    "is_policy": gettext_lazy(
        "“%(value)s” is a model that answers with actions, as of a robot: it is not computed here."
    ),
    "is_part": gettext_lazy(
        "“%(value)s” is a part of a model, such as its encoder for images: give the config.json of the whole model."
    ),
    "unknown_key": gettext_lazy("This key is not known for the model type “%(model_type)s” and may bear on its shape."),
    "not_utf8": gettext_lazy("The file is not UTF-8 text (byte %(position)s)."),
    "not_an_integer": gettext_lazy("A whole number is expected here, not %(value)s."),
    "out_of_range": gettext_lazy("%(value)s is out of range: from %(least)s to %(most)s."),
    "no_machine": gettext_lazy(
        "With sizes like this (%(largest)s) the model would take %(value)s GB, which no machine could hold."
    ),
    "not_a_boolean": gettext_lazy("True or false is expected here, not %(value)s."),
    "not_a_word": gettext_lazy("A word is expected here, not %(value)s."),
    "not_a_list": gettext_lazy("A list is expected here, not %(value)s."),
    "not_a_list_of_words": gettext_lazy("A list of words is expected here, not %(value)s."),
    "wrong_length": gettext_lazy("There are %(length)s entries where %(expected)s are expected."),
    "unknown_layer_kind": gettext_lazy("The layer kind “%(kind)s” is not known for the model type “%(model_type)s”."),
    "unknown_format": gettext_lazy("The storage format “%(value)s” is not known."),
    "does_not_divide": gettext_lazy("%(value)s does not divide %(of)s (%(total)s)."),
    "unsupported_value": gettext_lazy("The value “%(value)s” is not supported."),
    "differs_between_layers": gettext_lazy("The value differs between layers where one is expected."),
}

CAUSES: Mapping[str, Promise] = {
    "empty": gettext_lazy("It is empty."),
    "fence": gettext_lazy("It stands in a code fence (```): leave that out."),
    "comment": gettext_lazy("JSON has no comments."),
    "trailing_comma": gettext_lazy("There is a comma after the last entry."),
    "python": gettext_lazy("That is Python: JSON writes null, true and false."),
    "single_quotes": gettext_lazy("JSON has double quotes, not single ones."),
    "full_width": gettext_lazy("A curly quote or full-width punctuation stands where JSON has a plain one."),
    "text_before": gettext_lazy("Something stands before its beginning: leave that out."),
    "no_object": gettext_lazy("There is no opening brace in it, with which a config.json begins."),
    "line_marks": gettext_lazy("Its lines begin with marks or numbers: copy the plain text."),
    "escaped": gettext_lazy('Its quotes are escaped (\\" or &quot;): copy the plain text.'),
    "control": gettext_lazy("A line break or another control character stands inside a word."),
    "unquoted_key": gettext_lazy("JSON has its keys in double quotes."),
    "missing_comma": gettext_lazy("A comma is missing before this."),
    "cut_off": gettext_lazy("It ends too early: perhaps a part is missing."),
    "more_behind": gettext_lazy("Something stands behind its end."),
}
"""Why a text is likely to be no JSON (`other_texts.cause`)."""


def error_text(error: WorkloadError) -> str:
    """The sentence for an error, in the active language."""
    values = written(error.values)
    if layer := error.values.get("layer"):
        values["layer"] = str(MIXERS.get(str(layer), layer))
    if error.key == "size_out_of_bounds":
        values |= {name: gb(size) for name, size in error.values.items() if isinstance(size, int)}
    return str(ERRORS[error.key]) % values


WAYS_ON: Mapping[str, Promise] = {
    "unknown_model_type": gettext_lazy("If it is built like Llama, have it read by the standard keys."),
}
"""What may be done about a fault in the form that has the file."""


def config_error_texts(error: ConfigError, *, ways_on: bool = True) -> list[str]:
    """A sentence for each fault of a config.json, led by the key at fault, and what may be done about it."""
    texts = []
    for fault in error.faults:
        nameless = fault.reason == "missing" and fault.key.rpartition(".")[2] == "model_type"
        sentence = str(CONFIG_FAULTS["no_model_type" if nameless else fault.reason]) % written(fault.values)
        if fault.reason == "not_json":
            told = [sentence, _("Line %(line)s, column %(column)s.") % written(fault.values)]
            told += [str(CAUSES[str(fault.values["cause"])])] if fault.values.get("cause") else []
            sentence = space().join(told)
        if ways_on and fault.reason in WAYS_ON:
            sentence = space().join([sentence, str(WAYS_ON[fault.reason])])
        texts.append(_("%(key)s: %(sentence)s") % {"key": fault.key, "sentence": sentence} if fault.key else sentence)
    return list(dict.fromkeys(texts))  # several layers may stumble over one key
