"""The table of models."""

from __future__ import annotations

from typing import Any, Callable

models: dict[str, dict[str, Any]] = {}


def model(title: str, source: str, special: str, name: str | None = None) -> Callable:
    """Adds a function that makes a model: what people call it, the package that it comes from, what is special about the file."""

    def add(make: Callable) -> Callable:
        key = name or make.__name__.strip("_")
        models[key] = {"make": make, "facts": {"title": title, "source": source, "special": special}}
        return make

    return add


def seed_of(name: str) -> int:
    return sum(map(ord, name))


def network(title: str, source: str, special: str, **options: Any) -> Callable:
    """As `model`, for a function that returns a Case: PyTorch gives the references."""

    def add(make: Callable) -> Callable:
        def built(name: str, folder: str, facts: dict[str, Any]) -> dict[str, Any]:
            import torch

            from reference import build

            torch.manual_seed(seed_of(name))
            return build(name, make(), folder, facts)

        built.__name__ = make.__name__
        return model(title, source, special, **options)(built)

    return add
