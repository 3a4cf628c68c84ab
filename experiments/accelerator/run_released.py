"""Runs the authors' released code on the batches that `export_step` wrote, and measures it.

    python run_released.py DIR --checkout PATH --out FILE.json [--seconds 450] [--steps 5]

Needs PyTorch, NumPy and a checkout of the released code, nothing of this project. A step is an
update of the generator and one of the discriminator with LabelMix, without the average, on the
first CUDA device or else the CPU. Of each: seconds a step, images a second and the device's peak
memory. What the released code cannot be set to is named and left out.
"""

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from statistics import median
from types import ModuleType

import numpy as np

# What the released code has written in its classes: no option changes it.
BASE_CHANNELS, HIDDEN, BLOCKS = 64, 128, 6
# Each of the discriminator's blocks halves the picture's sides.
SCALE = 2**BLOCKS


def main(argv=None):
    """Measures; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory")
    parser.add_argument("--checkout", required=True, metavar="PATH", help="of the released code")
    parser.add_argument("--out", required=True, metavar="FILE", help="JSON")
    parser.add_argument("--seconds", type=int, default=450, help="for all. Default: %(default)s")
    parser.add_argument("--steps", type=int, default=5, help="timed, of each. Default: %(default)s")
    arguments = parser.parse_args(argv)
    end = time.monotonic() + arguments.seconds
    directory, out = Path(arguments.directory), Path(arguments.out)
    programs, wrong = _programs(directory)
    wrong += _wrong(Path(arguments.checkout), out, arguments.steps)
    if not wrong:
        try:
            torch, released = _imported(arguments.checkout)
        except Exception as error:
            wrong = [f"PyTorch or --checkout {arguments.checkout} cannot be used: {_said(error)}"]
    if wrong:
        print(*(f"error: {line}" for line in wrong), sep="\n", file=sys.stderr)
        return 2
    cuda = torch.cuda.is_available()
    content = {
        "title": "Training step of the released code under PyTorch",
        "device": torch.cuda.get_device_name(0) if cuda else "cpu",
        "platform": "gpu" if cuda else "cpu",
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
        # What PyTorch does on a GPU if nobody sets it, as the released code does not.
        "tf32": {
            "convolutions": torch.backends.cudnn.allow_tf32,
            "products": torch.backends.cuda.matmul.allow_tf32,
        },
        "steps": [],
    }
    for about in _cases(programs):
        row = {"form": "released"}
        row |= {key: about[key] for key in ("precision", "classes", "batch_size")}
        if time.monotonic() > end:
            row["left_out"] = "no time left"
        else:
            try:
                image, label_map = _batch(directory, about)
                if reasons := _cannot(about, image.shape[1:3]):
                    row["left_out"] = "; ".join(reasons)
                else:
                    # No name here for the step: the next one needs its memory.
                    row |= _measure(
                        torch,
                        _step(torch, released, about, image, label_map, cuda),
                        about["batch_size"],
                        arguments.steps,
                        cuda,
                    )
            except Exception as error:  # one that does not fit must not end the rest
                row["error"] = _said(error)
        content["steps"].append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
        out.write_text(json.dumps(content, indent=1) + "\n")
    return 0


def _programs(directory):
    """What `export_step` wrote down of its programs, and what is wrong with it."""
    path = directory / "programs.json"
    try:
        programs = json.loads(path.read_text())["programs"]
        if all("widths" in about for about in programs):
            return programs, []
        found = "one without the networks' widths, of an earlier version"
    except OSError as error:
        found = error.strerror
    except (ValueError, LookupError, TypeError):
        found = "another file"
    return [], [f"{path} must be a file that export_step wrote. Received: {found}"]


def _wrong(checkout, out, steps):
    """What is wrong with the arguments, a line each."""
    wrong = []
    missing = [x for x in ("models/models.py", "models/losses.py") if not (checkout / x).is_file()]
    if missing:
        wrong.append(
            f"--checkout must be a checkout of the released code. Received: {checkout}, without "
            + " and ".join(missing)
        )
    if not out.absolute().parent.is_dir():
        wrong.append(f"--out must be in a directory that exists. Received: {out}")
    if steps < 1:
        wrong.append(f"--steps must be at least 1. Received: {steps}")
    return wrong


def _imported(checkout):
    """PyTorch, and the checkout's model and losses by name."""
    import torch

    sys.path.insert(0, str(Path(checkout).absolute()))
    # The checkout imports torchvision for a loss that is off here and in the paper. An empty
    # module does, and must be gone afterwards, lest PyTorch take it for the real one.
    absent = "torchvision" not in sys.modules
    if absent:
        sys.modules["torchvision"] = ModuleType("torchvision")
    try:
        models = importlib.import_module("models.models")
        losses = importlib.import_module("models.losses")
    finally:
        if absent:
            del sys.modules["torchvision"]
    return torch, {
        "model": models.OASIS_model,
        "inputs": models.preprocess_input,
        "losses": losses.losses_computer,
    }


def _cases(programs):
    """One for each step in each precision: forms differ in how, not in what, they compute."""
    keys = ("precision", "classes", "batch_size")
    return {tuple(about[key] for key in keys): about for about in programs}.values()


def _batch(directory, about):
    """The pictures, float32 (B, H, W, 3) in -1..1, and label maps, (B, H, W), of a step."""
    with np.load(directory / f"{about['name']}.npz") as arrays:
        return [arrays[name] for name in arrays.files[:2]]


def _cannot(about, size):
    """Why the released code cannot do this step; empty where it can."""
    reasons = []
    if about["precision"] != "float32":
        reasons.append("the released code has float32 only")
    widths = about["widths"]
    if (widths["base_channels"], widths["hidden"]) != (BASE_CHANNELS, HIDDEN):
        reasons.append(
            f"the released networks have base_channels {BASE_CHANNELS} and hidden {HIDDEN}, "
            f"not {widths['base_channels']} and {widths['hidden']}"
        )
    if any(side % SCALE for side in size):
        reasons.append(
            f"the released code's pictures have sides that {SCALE} divides, not "
            + "x".join(map(str, size))
        )
    return reasons


def _step(torch, released, about, image, label_map, cuda):
    """A function that makes one step and returns both losses."""
    height, width = image.shape[1:3]
    options = argparse.Namespace(
        phase="train",
        continue_train=False,
        gpu_ids="0" if cuda else "-1",
        # Class 0 is what is not labelled.
        semantic_nc=about["classes"],
        contain_dontcare_label=True,
        crop_size=width,
        aspect_ratio=width / height,
        channels_G=about["widths"]["base_channels"],
        z_dim=about["widths"]["noise_channels"],
        num_res_blocks=BLOCKS,
        param_free_norm="syncbatch",
        spade_ks=3,
        lambda_labelmix=10.0,
        add_vgg_loss=False,
        no_EMA=True,
        no_3dnoise=False,
        no_balancing_inloss=False,
        no_labelmix=False,
        no_spectral_norm=False,
    )
    torch.manual_seed(0)
    device = "cuda" if cuda else "cpu"
    model = released["model"](options).to(device)
    compute = released["losses"](options)
    data = {
        "image": torch.tensor(image.transpose(0, 3, 1, 2), device=device).contiguous(),
        "label": torch.tensor(label_map[:, None], dtype=torch.int64, device=device),
    }
    updates = [
        (mode, torch.optim.Adam(network.parameters(), lr=rate, betas=(0.0, 0.999)))
        for mode, network, rate in (("losses_G", model.netG, 1e-4), ("losses_D", model.netD, 4e-4))
    ]

    def step():
        # Label maps are made one-hot in the step, as the other forms have it.
        pictures, one_hot = released["inputs"](options, dict(data))
        values = []
        for mode, optimizer in updates:
            optimizer.zero_grad()
            loss, _ = model(pictures, one_hot, mode, compute)
            loss.backward()
            optimizer.step()
            values.append(loss.detach())
        return torch.stack(values).tolist()  # waits for the losses

    return step


def _measure(torch, step, batch_size, steps, cuda):
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    losses, seconds = [], []
    for _ in range(steps + 1):
        start = time.perf_counter()
        losses.append(step())
        if cuda:
            torch.cuda.synchronize()  # waits for the last update
        seconds.append(time.perf_counter() - start)
    # The first one warms up.
    middle = median(seconds[1:])
    return {
        "step_s": middle,
        "images_per_s": batch_size / middle,
        "samples_s": seconds[1:],
        "peak_bytes": torch.cuda.max_memory_allocated() if cuda else None,
        "finite": bool(np.isfinite(losses).all()),
    }


def _said(error):
    """An exception's kind and the first line of what it says."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}"


if __name__ == "__main__":
    sys.exit(main())
