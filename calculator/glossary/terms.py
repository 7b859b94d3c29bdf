"""The entries: name, other labels under which a page shows the same thing, and one or two sentences."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Term:
    """`slug` is the anchor, which links from elsewhere rely on."""

    slug: str
    name: Promise
    text: Promise
    labels: tuple[Promise, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    slug: str
    title: Promise
    terms: tuple[Term, ...]


MEMORY = (
    Term(
        "vram",
        _("VRAM"),
        _(
            "The memory of a graphics card or accelerator. A model must lie in it to run fast; what lies in RAM is slow."
        ),
        (_("VRAM requirements"),),
    ),
    Term(
        "gib",
        _("GiB and GB"),
        _(
            "1 GiB is 2^30 bytes, 1 GB is 10^9 bytes. Memory is in GiB here, downloads and bandwidth in GB. Programs can use somewhat less of a card than it is sold with."
        ),
    ),
    Term(
        "quantisation",
        _("Quantisation (weight format)"),
        _(
            "Storing weights in fewer bits: four to five each in Q4_K_M, where most models are published in 16. It saves memory and costs some quality, more the fewer the bits."
        ),
        (_("Published weights"),),
    ),
    Term(
        "imatrix",
        _("File made with an importance matrix"),
        _(
            "llama.cpp can measure on sample text which weights matter (imatrix) and spend its few bits on them: better at two or three bits, and a little larger or smaller than the plain file."
        ),
    ),
    Term(
        "weights",
        _("Weights"),
        _(
            "The learnt numbers of a model. All must be loaded, of a mixture of experts too, though each token uses a few experts only."
        ),
    ),
    Term(
        "kv-cache",
        _("KV cache"),
        _(
            "Keys and values of every token so far, kept so that they need not be computed again. It grows with the context and with every request at once."
        ),
        (_("KV cache format"),),
    ),
    Term(
        "recurrent-state",
        _("Recurrent state"),
        _("What linear attention and state-space layers remember: of one size, however long the context is."),
        (_("State size"), _("State per head")),
    ),
    Term(
        "compute-buffer",
        _("Compute buffer"),
        _(
            "Room for intermediate results of one step. It follows from the size of a batch, the width of the model and its vocabulary."
        ),
    ),
    Term(
        "overhead",
        _("Engine overhead"),
        _("What the driver, the libraries and the engine take beside the model, on every card."),
        (_("Overhead"),),
    ),
    Term(
        "offload",
        _("Offload to RAM"),
        _(
            "Keeping some layers or experts in RAM, so that a model runs on a card that is too small for it; every token then waits for RAM."
        ),
        (_("Layers on the cards"), _("Layers whose experts stay in RAM")),
    ),
)

RUNNING = (
    Term(
        "engine",
        _("Engine"),
        _(
            "The program that runs a model: llama.cpp, vLLM, SGLang, Transformers, MLX. Each allocates memory by its own rules."
        ),
    ),
    Term(
        "context",
        _("Context length"),
        _("How many tokens of input and output together a model takes in. 1K is 1,024 tokens."),
    ),
    Term(
        "concurrent-requests",
        _("Concurrent requests"),
        _("How many users are served at the same time. Each has its own KV cache; the weights are shared."),
        (_("Most sequences at once"),),
    ),
    Term(
        "slots",
        _("Slots (a number or auto)"),
        _(
            "How many requests llama-server takes at once. By itself it divides the context among them or, with “auto”, lets them share it."
        ),
    ),
    Term(
        "batch",
        _("Tokens of a batch"),
        _(
            "How many tokens of prompts an engine takes in one step. More fill the card better and need larger compute buffers; llama.cpp computes a batch in micro-batches."
        ),
        (_("Tokens of a micro-batch"), _("Tokens in one step")),
    ),
    Term(
        "prefix-cache",
        _("Prefix cache"),
        _(
            "The KV cache of a beginning that several requests share, such as a system prompt, kept once for all of them."
        ),
        (_("Shared prefix (tokens)"),),
    ),
    Term(
        "prefill",
        _("Prefill"),
        _("Reading the prompt, all tokens at once: limited by compute. It decides the time to the first token."),
        (_("Prefill, upper bound"), _("Time to first token, at least")),
    ),
    Term(
        "decoding",
        _("Decoding"),
        _(
            "Writing token by token: limited by memory bandwidth, for every step reads all active weights and the cache."
        ),
        (_("Decoding, upper bound"),),
    ),
    Term(
        "tensor-parallel",
        _("Tensor parallel"),
        _(
            "Every layer is cut into equal parts, one a card; all cards work on each token and exchange results in every layer."
        ),
    ),
    Term(
        "pipeline-parallel",
        _("Pipeline parallel"),
        _("Each card holds some of the layers, and a token passes from card to card."),
    ),
    Term(
        "expert-parallel",
        _("Expert parallel"),
        _("The experts of a layer are dealt out whole to the cards, in place of cutting each into parts."),
    ),
    Term(
        "data-parallel",
        _("Data parallel"),
        _(
            "Copies of the model, or of its attention alone, that serve different requests: more requests a second, and each copy takes memory."
        ),
        (_("Data parallel in attention alone"),),
    ),
    Term(
        "mtp",
        _("Tokens guessed ahead (MTP)"),
        _(
            "Extra layers guess the next tokens, and the model checks them in one step. Faster, and takes some more memory."
        ),
    ),
    Term(
        "cuda-graphs",
        _("CUDA graphs"),
        _(
            "Recorded sequences of operations that start at once. They make small batches faster and keep buffers in memory."
        ),
    ),
    Term(
        "flash-attention",
        _("Flash attention"),
        _(
            "A kernel that computes attention in tiles, so that the scores of all pairs of tokens are never held in memory."
        ),
    ),
)

MODELS = (
    Term(
        "total-parameters",
        _("Total parameters"),
        _("All numbers of the model, counted from its own tensors. They decide how much memory the weights take."),
    ),
    Term(
        "active-parameters",
        _("Active parameters"),
        _(
            "The weights read to generate one token of text. In a mixture of experts they are few, so it is fast for its size, but not small. The input embedding, of which a token takes one row, encoders of images or sound and multi-token prediction are not counted."
        ),
    ),
    Term(
        "experts",
        _("Mixture of experts"),
        _(
            "Layers with many small networks, of which a router picks a few for each token; shared experts take part always."
        ),
        (
            _("Routed experts"),
            _("Routed experts per token"),
            _("Shared experts"),
            _("Layers with experts"),
            _("Experts"),
        ),
    ),
    Term(
        "layers",
        _("Layers"),
        _("The blocks of a model, one after another: each mixes tokens and then transforms each."),
    ),
    Term(
        "layer-kinds",
        _("Layers by kind"),
        _(
            "How many layers see all tokens, a sliding window, a chunk, or keep a state. Only those that see everything cost memory for every token."
        ),
    ),
    Term(
        "heads",
        _("Query heads"),
        _("Attention looks in several ways at once; each is a head."),
    ),
    Term(
        "kv-heads",
        _("Key/value heads"),
        _("With grouped-query attention several query heads share one key and value, which divides the KV cache."),
    ),
    Term(
        "head-dimension",
        _("Head dimension"),
        _("Numbers in one key or value of one head. Cache of a token: layers × 2 × key/value heads × head dimension."),
        (_("Head dimension (key / value)"),),
    ),
    Term(
        "latent-attention",
        _("Key/value latent"),
        _(
            "Multi-head latent attention (MLA) caches one short vector for all heads of a layer, as DeepSeek-V2 introduced."
        ),
        (_("RoPE key dimension"),),
    ),
    Term(
        "hidden-size",
        _("Hidden size"),
        _("Numbers that stand for one token between the layers."),
    ),
    Term(
        "feed-forward",
        _("Feed-forward size"),
        _("Width of the network that each token passes after attention; most weights of a dense model are there."),
        (_("Expert size"),),
    ),
    Term("vocabulary", _("Vocabulary"), _("How many different tokens there are: pieces of words, characters, signs.")),
    Term(
        "rope",
        _("RoPE base (theta)"),
        _(
            "Rotary position embedding turns queries and keys by their position; a larger base or a scaling factor stretches it over longer contexts."
        ),
        (_("RoPE scaling factor"), _("Position embedding")),
    ),
    Term(
        "knowledge-cutoff",
        _("Knowledge cutoff"),
        _("The date up to which the training data reach, where the publisher says so."),
    ),
)

GROUPS = (
    Group("memory", _("Memory"), MEMORY),
    Group("running", _("Running a model"), RUNNING),
    Group("models", _("Inside a model"), MODELS),
)
