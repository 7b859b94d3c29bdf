"""A Hugging Face `config.json` -> the typed shape of the model."""

from calculator.architecture.beside import parse_beside, stores_checkpoint, with_quantization, with_stored
from calculator.architecture.draft_heads import DraftHead, is_draft_head, read_draft_head
from calculator.architecture.drafting import with_draft_head
from calculator.architecture.errors import ConfigError, Fault
from calculator.architecture.gguf_file import is_gguf
from calculator.architecture.gguf_header import config_in_file, name_in_file
from calculator.architecture.hub_reference import HubReference, hub_reference
from calculator.architecture.other_files import is_quantization
from calculator.architecture.parse import parse_config_text
from calculator.architecture.read import read_config
from calculator.architecture.rotary import Rotary, read_rotary
from calculator.architecture.shape import Shape

__all__ = [
    "ConfigError",
    "DraftHead",
    "Fault",
    "HubReference",
    "Rotary",
    "Shape",
    "config_in_file",
    "hub_reference",
    "is_draft_head",
    "is_gguf",
    "is_quantization",
    "name_in_file",
    "parse_beside",
    "parse_config_text",
    "read_config",
    "read_draft_head",
    "read_rotary",
    "stores_checkpoint",
    "with_draft_head",
    "with_quantization",
    "with_stored",
]
