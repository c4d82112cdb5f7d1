"""Metrics of small made-up scores by scikit-learn: packages/cam-train/test/golden/metrics.json.

usage: python metrics.py > ../../packages/cam-train/test/golden/metrics.json
needs: numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1 (python 3.11)

Probabilities are whole 64ths, so that there are ties, sums are exact and none lies on an edge of a bin (k/15). scikit-learn has no top-label calibration error; its
calibration_curve gives the bins' means (of "is the named class right?" against the confidence in it), and the error follows. Among equal probabilities top_k_accuracy_score ranks the last class first, while argmax
and camkit take the first: a hair off the later ones makes them agree.
"""
import json

import numpy as np
import sklearn
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

rng = np.random.default_rng(20240601)


def probabilities(labels, k, sharpness):
    """Rows that lean to their label."""
    z = rng.normal(size=(len(labels), k))
    z[np.arange(len(labels)), labels] += sharpness
    p = np.exp(1.3 * z) / np.exp(1.3 * z).sum(1, keepdims=True)
    steps = np.floor(p * 64).astype(int)
    steps[np.arange(len(labels)), p.argmax(1)] += 64 - steps.sum(1)
    return steps / 64


def binary_counts(y, yhat):
    tn, fp, fn, tp = m.confusion_matrix(y, yhat, labels=[0, 1]).ravel()
    return {"sensitivity": tp / (tp + fn), "specificity": tn / (tn + fp)}


def classes(k, n):
    y = rng.integers(0, k, n)
    y[:k] = np.arange(k)
    p = probabilities(y, k, 1.0)
    yhat = p.argmax(1)
    average = "binary" if k == 2 else "macro"
    one_hot = np.eye(k)[y]
    per_class = [binary_counts(y == c, yhat == c) for c in range(k)]
    confidence, correct = p.max(1), (yhat == y).astype(float)
    accuracy, mean = calibration_curve(correct, confidence, n_bins=15)
    counts = np.array([c for c in np.histogram(confidence, np.linspace(0, 1, 16))[0] if c > 0])  # the curve drops empty bins
    return {
        "kind": "classes", "classes": k, "probabilities": p.ravel().tolist(), "labels": y.tolist(),
        "confusion": m.confusion_matrix(y, yhat).tolist(),
        "perClass": per_class,
        "bins": [[int(c), float(a), float(b)] for c, a, b in zip(counts, mean, accuracy)],
        "expected": {
            "accuracy": m.accuracy_score(y, yhat),
            **({} if k == 2 else {"top-2": m.top_k_accuracy_score(y, p - 1e-9 * np.arange(k), k=2)}),
            "balanced-accuracy": m.balanced_accuracy_score(y, yhat),
            "auc": m.roc_auc_score(y, p[:, 1]) if k == 2 else m.roc_auc_score(y, p, multi_class="ovr"),
            "average-precision": m.average_precision_score(*((y, p[:, 1]) if k == 2 else (one_hot, p))),
            "sensitivity": per_class[1]["sensitivity"] if k == 2 else np.mean([c["sensitivity"] for c in per_class]),
            "specificity": per_class[1]["specificity"] if k == 2 else np.mean([c["specificity"] for c in per_class]),
            "precision": m.precision_score(y, yhat, average=average),
            "f1": m.f1_score(y, yhat, average=average),
            "log-loss": m.log_loss(y, p),
            "brier": m.brier_score_loss(y, p[:, 1]) if k == 2 else m.brier_score_loss(y, p),
            "ece": float((counts / n * np.abs(mean - accuracy)).sum()),
        },
    }


def multi_label(k, n):
    y = (rng.random((n, k)) < [0.3, 0.5, 0.15]).astype(int)
    p = np.round(1 / (1 + np.exp(-(rng.normal(size=(n, k)) + 1.6 * y - 0.8))), 2)
    yhat = (p > 0.5).astype(int)
    per_class = [binary_counts(y[:, c], yhat[:, c]) for c in range(k)]
    return {
        "kind": "multi-label", "classes": k, "probabilities": p.ravel().tolist(), "labels": y.ravel().tolist(),
        "perClass": [{**c, "auc": m.roc_auc_score(y[:, i], p[:, i])} for i, c in enumerate(per_class)],
        "expected": {
            "exact-match": m.accuracy_score(y, yhat),
            "balanced-accuracy": np.mean([m.balanced_accuracy_score(y[:, c], yhat[:, c]) for c in range(k)]),
            "auc": m.roc_auc_score(y, p, average="macro"),
            "average-precision": m.average_precision_score(y, p, average="macro"),
            "sensitivity": m.recall_score(y, yhat, average="macro"),
            "specificity": np.mean([c["specificity"] for c in per_class]),
            "precision": m.precision_score(y, yhat, average="macro"),
            "f1": m.f1_score(y, yhat, average="macro"),
        },
    }


def regression(k, n):
    y = np.round(rng.normal(size=(n, k)) * [1, 10], 3)
    yhat = np.round(y + rng.normal(size=(n, k)) * [0.4, 5], 3)
    return {
        "kind": "regression", "outputs": k, "predictions": yhat.ravel().tolist(), "targets": y.ravel().tolist(),
        "expected": {
            "mae": m.mean_absolute_error(y, yhat),
            "rmse": m.root_mean_squared_error(y, yhat),
            "r2": m.r2_score(y, yhat),
        },
    }


def temperature(k, n):
    """Logits three times too sure; the temperature that minimises the log loss, by scipy's bounded Brent search over log T."""
    y = rng.integers(0, k, n)
    z = rng.normal(size=(n, k))
    z[np.arange(n), y] += 1.2
    z = np.round(3 * z, 3)
    loss = lambda log_t: -log_softmax(z / np.exp(log_t), axis=1)[np.arange(n), y].mean()
    best = minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-12})
    return {"classes": k, "logits": z.ravel().tolist(), "labels": y.tolist(), "temperature": float(np.exp(best.x)), "logLoss": float(best.fun)}


print(json.dumps({
    "program": "scripts/golden/metrics.py",
    "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    "cases": [classes(2, 60), classes(4, 70), multi_label(3, 50), regression(2, 30)],
    "temperature": [temperature(2, 80), temperature(3, 80)],
}))
