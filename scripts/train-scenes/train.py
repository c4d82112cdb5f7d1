"""Trains the scenes network and writes it as ONNX.

    python train.py --data DIR --out model.onnx [--epochs 14] [--seed 1]

DIR holds train.*.npy and validation.*.npy from dump-scenes.mjs. One thread and fixed seeds: the same machine gives the
same file again (another processor may round differently in the last digits).
"""

import argparse
import random
import time

import numpy as np
import torch
from network import Network, to_onnx
from torch.nn import functional

BATCH = 64
PEAK_RATE = 4e-3
WEIGHT_DECAY = 1e-3


def load(data, split):
    images = np.load(f"{data}/{split}.images.npy", mmap_mode="r")  # uint8 [N, 96, 96, 3]
    labels = np.load(f"{data}/{split}.labels.npy")
    return images, torch.from_numpy(labels).float()


def as_input(images):
    """uint8 [N, H, W, 3] -> float [N, 3, H, W] in -1 … 1, as the manifest says: (x / 255 - 0.5) / 0.5."""
    return torch.tensor(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def symmetry(images, rng):
    """One of the eight symmetries of the square for the whole batch. The mirror of a scene is a scene."""
    if rng.random() < 0.5:
        images = images.flip(2)
    if rng.random() < 0.5:
        images = images.flip(3)
    if rng.random() < 0.5:
        images = images.transpose(2, 3)
    return images.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def validate(network, images, labels):
    network.eval()
    logits = torch.cat([network(as_input(images[i : i + 256])) for i in range(0, len(images), 256)])
    network.train()
    right = (logits > 0) == (labels > 0)
    return functional.binary_cross_entropy_with_logits(logits, labels).item(), right.all(1).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    torch.use_deterministic_algorithms(True)
    rng = random.Random(args.seed)
    order = np.random.default_rng(args.seed)

    images, labels = load(args.data, "train")
    validation_images, validation_labels = load(args.data, "validation")
    network = Network().to(memory_format=torch.channels_last)
    print(f"{sum(p.numel() for p in network.parameters())} parameters, {len(images)} scenes", flush=True)
    steps = len(images) // BATCH
    optimiser = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, PEAK_RATE, total_steps=steps * args.epochs, pct_start=0.15
    )
    for epoch in range(args.epochs):
        started, total = time.time(), 0.0
        shuffled = order.permutation(len(images))
        for step in range(steps):
            rows = np.sort(shuffled[step * BATCH : (step + 1) * BATCH])
            batch = symmetry(as_input(np.ascontiguousarray(images[rows])), rng)
            logits, from_cells = network(batch)
            loss = functional.binary_cross_entropy_with_logits(logits, labels[rows])
            loss = loss + functional.binary_cross_entropy_with_logits(from_cells, labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        validation_loss, exact = validate(network, validation_images, validation_labels)
        print(
            f"epoch {epoch + 1:2d}  loss {total / steps:.4f}  validation loss {validation_loss:.4f}"
            f"  exact match {exact:.4f}  {time.time() - started:.0f} s",
            flush=True,
        )
        network.eval()
        to_onnx(network, args.out, torch.__version__.split("+")[0])
        network.train()


if __name__ == "__main__":
    main()
