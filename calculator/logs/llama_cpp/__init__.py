"""Logs of llama.cpp, and of Ollama, which is a way to run it."""

from calculator.logs.llama_cpp import ollama, program

PROGRAMS = (ollama, program)
"""Ollama first: its logs hold the lines of llama.cpp too."""

__all__ = ["PROGRAMS"]
