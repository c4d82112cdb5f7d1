"""Keras networks through tf2onnx: channels last, a Transpose at the entry, normalisation inside. References by tf.GradientTape."""

from __future__ import annotations

import json
import os
from typing import Any, Callable

import numpy as np

from registry import model, seed_of


def keras_network(title: str, special: str, opset: int) -> Callable:
    """`make()` gives a Keras model whose last layer are logits, and the name of the layer that Grad-CAM is read at."""

    def add(make: Callable) -> Callable:
        def built(name: str, folder: str, facts: dict[str, Any]) -> dict[str, Any]:
            import tensorflow as tf

            tf.keras.utils.set_random_seed(seed_of(name))
            net, layer, size, scale = make()
            enliven(net, size, scale)
            return references(name, folder, facts, net, layer, size, scale, opset)

        built.__name__ = make.__name__
        return model(title, "Keras 3.15, tf2onnx 1.17", special)(built)

    return add


def photo(size: int, scale: float) -> np.ndarray:
    """[1, H, W, 3] in 0 … scale, smooth like a picture."""
    import tensorflow as tf

    coarse = tf.image.resize(np.random.randn(1, size // 12, size // 12, 3), (size, size), "bicubic").numpy()
    noisy = coarse + 0.3 * np.random.randn(1, size, size, 3)
    return (scale / (1 + np.exp(-noisy))).astype(np.float32)


def enliven(net: Any, size: int, scale: float) -> None:
    """Batch norms with the statistics of random pictures, gains around 1, biases around 0; a head that isn't zero."""
    import tensorflow as tf

    for layer in net.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.0
            layer.gamma.assign(np.random.uniform(0.5, 1.5, layer.gamma.shape))
            layer.beta.assign(np.random.normal(0, 0.1, layer.beta.shape))
        if isinstance(layer, tf.keras.layers.Normalization):  # as tensors they would be inputs of the exported file
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)
    net(np.concatenate([photo(size, scale) for _ in range(16)]), training=True)


def references(name, folder, facts, net, layer, size, scale, opset) -> dict[str, Any]:
    import onnx
    import tensorflow as tf
    import tf2onnx

    os.makedirs(folder, exist_ok=True)
    double = tf.keras.models.clone_model(net, clone_function=in_double)
    double.set_weights([w.astype(np.float64) for w in net.get_weights()])
    best = None
    for _ in range(8):
        x = photo(size, scale)
        exact = differentiate(double, layer, x.astype(np.float64))
        short = differentiate(net, layer, x, exact["target"])
        e32, cam_e32 = (error(short[k], exact[k]) for k in ("gradient", "cam"))
        if best is None or max(e32, cam_e32) < max(best[2:]):
            best = (x, exact, e32, cam_e32)
        if max(e32, cam_e32) < 1e-5:
            break
    x, exact, e32, cam_e32 = best
    path = f"{folder}/model.onnx"
    signature = [tf.TensorSpec([None, size, size, 3], tf.float32, name="image")]
    run = tf.function(lambda image: net(image, training=False), input_signature=signature)
    file, _ = tf2onnx.convert.from_function(run, input_signature=signature, opset=opset)
    onnx.save(file, path)
    for key, value in (("x", x), ("input_grad", exact["gradient"]), ("logits", exact["logits"]), ("cam", exact["cam"]), ("act", exact["act"])):
        np.save(f"{folder}/{key}.npy", value.astype(np.float32))
    from names import operators, tensor_like

    tensor = tensor_like(path, {"image": x}, exact["act"])
    meta = {
        "name": name, **facts, "inputs": ["image"], "target": exact["target"], "e32": e32, "cam_e32": cam_e32, "layer": layer, "layout": "NHWC",
        "cam_max": float(exact["cam"].max()), "tensor": tensor, "ops": operators(path),
    }
    with open(f"{folder}/meta.json", "w") as to:
        json.dump(meta, to, indent=1)
    return meta


def in_double(layer: Any) -> Any:
    """The same layer in float64."""
    config = layer.get_config()
    config["dtype"] = "float64"
    return layer.__class__.from_config(config)


def differentiate(net: Any, layer: str, x: np.ndarray, target: int | None = None) -> dict[str, Any]:
    import tensorflow as tf

    both = tf.keras.Model(net.inputs, [net.get_layer(layer).output, net.output])
    given = tf.constant(x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(given)
        act, logits = both(given, training=False)
        chosen = int(np.argmax(logits.numpy()[0])) if target is None else target
        score = logits[0, chosen]
    da = tape.gradient(score, act).numpy()
    cam = np.maximum((da.mean((1, 2), keepdims=True) * act.numpy()).sum(-1), 0)
    return {"target": chosen, "logits": logits.numpy(), "gradient": tape.gradient(score, given).numpy(), "act": act.numpy(), "cam": cam}


def error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(np.float64) - b).max() / max(np.abs(b).max(), 1e-30))


def efficientnet():
    from tensorflow.keras.applications import EfficientNetB0

    net = EfficientNetB0(weights=None, input_shape=(96, 96, 3), classes=20, classifier_activation=None)
    return net, "top_activation", 96, 255.0


@keras_network("Keras EfficientNetB0", "NHWC, normalisation and rescaling in the graph, squeeze and excitation", 17)
def keras_efficientnet():
    return efficientnet()


@keras_network("Keras EfficientNetB0, opset 11", "the same, opset 11", 11)
def keras_efficientnet_opset11():
    return efficientnet()


@keras_network("Keras MobileNetV2, opset 9", "NHWC, ReLU6, opset 9", 9)
def keras_mobilenet_opset9():
    from tensorflow.keras.applications import MobileNetV2

    net = MobileNetV2(weights=None, input_shape=(96, 96, 3), alpha=0.5, classes=20, classifier_activation=None)
    return net, "out_relu", 96, 1.0


@keras_network("Keras ResNet50V2", "NHWC, batch norms before convolutions, padding as an operator of its own", 15)
def keras_resnet50v2():
    from tensorflow.keras.applications import ResNet50V2

    net = ResNet50V2(weights=None, input_shape=(96, 96, 3), classes=20, classifier_activation=None)
    return net, "post_relu", 96, 1.0


@keras_network("Keras CNN with max pools", "NHWC, max pools with SAME padding", 15)
def keras_maxpool():
    import tensorflow as tf

    L = tf.keras.layers
    x = image = L.Input((64, 64, 3))
    x = L.Rescaling(1 / 127.5, offset=-1)(x)
    for i, width in enumerate((12, 16, 24)):
        x = L.Conv2D(width, 3, padding="same", strides=1 if i else 2, name=f"conv{i}")(x)
        x = L.BatchNormalization()(x)
        x = L.ReLU(name=f"relu{i}")(x)
        x = L.MaxPool2D(padding="same")(x) if i < 2 else x
    x = L.GlobalAveragePooling2D()(x)
    return tf.keras.Model(image, L.Dense(7)(x)), "relu2", 64, 255.0
