"""Memory of fine-tuning: what transformers + PEFT + TRL, Unsloth, FSDP2 and DeepSpeed hold at their peak."""

from calculator.hardware.training.estimate import TrainingEstimate, training_memory
from calculator.hardware.training.programs import PROGRAMS, Program, questions
from calculator.hardware.training.settings import Training

__all__ = [
    "PROGRAMS",
    "Program",
    "Training",
    "TrainingEstimate",
    "questions",
    "training_memory",
]
