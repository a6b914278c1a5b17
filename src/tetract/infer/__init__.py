"""Studies in, Findings out. Needs no training stack."""

from tetract.infer.predictor import Predictor, load

__all__ = ["Predictor", "load"]
