"""How right the memory model is: every reference case, predicted and true, beside the formulas in common use."""

from calculator.accuracy.case import Case
from calculator.accuracy.cases import cases
from calculator.accuracy.kept import BeingComputed
from calculator.accuracy.summary import NAIVE_FORMULAS, Line, by_family, summary

__all__ = ["NAIVE_FORMULAS", "BeingComputed", "Case", "Line", "by_family", "cases", "summary"]
