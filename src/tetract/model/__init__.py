"""The trunk, the arms put together, and a model on disk."""

from tetract.model.bundle import Bundle, Description, load_bundle, load_description, save_bundle
from tetract.model.encoder import Encoder
from tetract.model.mirrored import Mirrored
from tetract.model.network import Network, Outputs
from tetract.model.pretrained import load_pretrained
from tetract.model.renorm import reestimate_norm
from tetract.model.spec import EncoderConfig, NetworkSpec
from tetract.model.transfer import PartReport, load_weights_from

__all__ = [
    "Bundle",
    "Description",
    "Encoder",
    "EncoderConfig",
    "Mirrored",
    "Network",
    "NetworkSpec",
    "Outputs",
    "PartReport",
    "load_bundle",
    "load_description",
    "load_pretrained",
    "load_weights_from",
    "reestimate_norm",
    "save_bundle",
]
