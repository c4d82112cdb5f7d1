"""Each loss's value and gradients in PyTorch, in float64: packages/cam-train/test/golden/losses.json

usage: python losses.py        needs: torch==2.13.0 numpy==2.4.6

Each case: `loss` and its options, `inputs` (tensors, those of `gradients` differentiable), `value`, `gradients` of the value.
y are logits [N, C], p = softmax(y) over C; every value is a mean over the batch, or over all numbers, as stated.

  cross entropy     t class numbers [N]: l_n = -(1 - e) w[t_n] log p[n, t_n] - e / C sum_c w[c] log p[n, c];
                    sum_n l_n / sum_n w[t_n] (w = 1 and e = 0 by default).
                    t soft [N, C]: l_n = -sum_c w[c] t'[n, c] log p[n, c] with t' = (1 - e) t + e / C; mean over n
  binary            mean over all of  P t softplus(-y) + (1 - t) softplus(y), P the positive weight (per output)
  focal, binary     mean over all of  -a_t (1 - q_t)^g log q_t, where q = sigmoid(y); q_t = q, a_t = alpha for t = 1;
                    q_t = 1 - q, a_t = 1 - alpha for t = 0. Source: Lin et al. 2017, arXiv:1708.02002, eq. 5
  focal, classes    mean over n of  -(1 - p[n, t_n])^g log p[n, t_n]: the same source, eq. 4, with a softmax
  mse, l1           mean over all of (y - t)^2, |y - t|
  kl                "batchmean": sum over all of t (log t - log q), divided by N, q = softmax(y): KL(t || q), the target
                    first. t are probabilities, 0 log 0 = 0; with `logTarget` t holds log t. Without `logits` y is log q itself
  cosine            mean over n of  1 - cos(a_n, b_n),  cos = a b / (max(|a|, 1e-8) max(|b|, 1e-8))
  cosine embedding  mean over n of  1 - cos for t = 1, max(0, cos - margin) for t = -1
  infoNCE           z = rows of a and b over their norms, S = z_a z_b^T / temperature; half the cross entropy of S's rows plus
                    half that of its columns, row n belonging to column n. Source: van den Oord et al. 2018,
                    arXiv:1807.03748, eq. 4; symmetric: Radford et al. 2021, arXiv:2103.00020, figure 3
"""

import torch
from golden import data, numbers, tensor, write
from torch.nn import functional as F

Y = numbers([4, 3], 1, most=3)
CLASSES = torch.tensor([0, 2, 1, 2])
SOFT = torch.tensor([[0.7, 0.2, 0.1], [0, 1, 0], [0.25, 0.25, 0.5], [0.05, 0.9, 0.05]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.5, 2, 1], dtype=torch.float64)
# Where exp overflows and where a naive logarithm meets 0.
LARGE = torch.tensor([[100, -100, 0], [-200, 150, 150], [1000, 999, 0], [0, 0, 0]], dtype=torch.float64)
PLANES, PLANE_CLASSES = numbers([2, 3, 2, 2], 2, most=2), torch.tensor([[[0, 1], [2, 0]], [[1, 1], [0, 2]]])
YES = torch.tensor([[1, 0, 1], [0, 0, 1], [1, 1, 0], [0, 1, 0]], dtype=torch.float64)
A, B = numbers([4, 5], 3), numbers([4, 5], 4)
T = torch.cat([A[:1], B[1:]])  # what equals its target has no slope
LOG_Q, LOG_T = F.log_softmax(Y, 1).round(decimals=6), F.log_softmax(B[:, :3], 1).round(decimals=6)
SIGNS = torch.tensor([1, -1, 1, -1])


def focal(y, t, alpha, gamma):
    """By the formula; torchvision.ops.sigmoid_focal_loss does the same."""
    log_q_t = t * F.logsigmoid(y) + (1 - t) * F.logsigmoid(-y)
    a_t = t * alpha + (1 - t) * (1 - alpha)
    return -(a_t * (1 - log_q_t.exp()) ** gamma * log_q_t).mean()


def focal_classes(y, t, gamma):
    log_p_t = F.log_softmax(y, 1).gather(1, t[:, None])
    return -((1 - log_p_t.exp()) ** gamma * log_p_t).mean()


def info_nce(a, b, temperature):
    s = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / temperature
    rows = torch.arange(len(a))
    return (F.cross_entropy(s, rows) + F.cross_entropy(s.T, rows)) / 2


def kl(y, t, **options):
    return F.kl_div(F.log_softmax(y, 1), t, reduction="batchmean", **options)



# name, loss with options, differentiable inputs, the other inputs, the function of both
CASES = [
    ("cross entropy", {"crossEntropy": {}}, {"y": Y}, {"t": CLASSES}, F.cross_entropy),
    (
        "cross entropy, smoothed",
        {"crossEntropy": {"labelSmoothing": 0.1}},
        {"y": Y},
        {"t": CLASSES},
        lambda y, t: F.cross_entropy(y, t, label_smoothing=0.1),
    ),
    (
        "cross entropy, class weights",
        {"crossEntropy": {"classWeights": WEIGHTS.tolist()}},
        {"y": Y},
        {"t": CLASSES},
        lambda y, t: F.cross_entropy(y, t, WEIGHTS),
    ),
    (
        "cross entropy, class weights, smoothed",
        {"crossEntropy": {"classWeights": WEIGHTS.tolist(), "labelSmoothing": 0.1}},
        {"y": Y},
        {"t": CLASSES},
        lambda y, t: F.cross_entropy(y, t, WEIGHTS, label_smoothing=0.1),
    ),
    ("cross entropy, soft labels", {"crossEntropy": {}}, {"y": Y}, {"t": SOFT}, F.cross_entropy),
    (
        "cross entropy, soft labels, class weights, smoothed",
        {"crossEntropy": {"classWeights": WEIGHTS.tolist(), "labelSmoothing": 0.1}},
        {"y": Y},
        {"t": SOFT},
        lambda y, t: F.cross_entropy(y, t, WEIGHTS, label_smoothing=0.1),
    ),
    ("cross entropy, large logits", {"crossEntropy": {}}, {"y": LARGE}, {"t": CLASSES}, F.cross_entropy),
    ("cross entropy, per position", {"crossEntropy": {}}, {"y": PLANES}, {"t": PLANE_CLASSES}, F.cross_entropy),
    ("binary", {"binary": {}}, {"y": Y}, {"t": YES}, F.binary_cross_entropy_with_logits),
    (
        "binary, positive weight",
        {"binary": {"positiveWeight": WEIGHTS.tolist()}},
        {"y": Y},
        {"t": YES},
        lambda y, t: F.binary_cross_entropy_with_logits(y, t, pos_weight=WEIGHTS),
    ),
    ("binary, large logits", {"binary": {}}, {"y": LARGE}, {"t": YES}, F.binary_cross_entropy_with_logits),
    (
        "focal, binary",
        {"focal": {"alpha": 0.25, "gamma": 2}},
        {"y": Y},
        {"t": YES},
        lambda y, t: focal(y, t, 0.25, 2),
    ),
    (
        "focal, binary, large logits",
        {"focal": {"alpha": 0.25, "gamma": 2}},
        {"y": LARGE},
        {"t": YES},
        lambda y, t: focal(y, t, 0.25, 2),
    ),
    ("focal, classes", {"focal": {"gamma": 2}}, {"y": Y}, {"t": CLASSES}, lambda y, t: focal_classes(y, t, 2)),
    ("mse", {"mse": {}}, {"y": A}, {"t": T}, F.mse_loss),
    ("l1", {"l1": {}}, {"y": A}, {"t": T}, F.l1_loss),
    ("kl, logits", {"kl": {"logits": True}}, {"y": Y}, {"t": SOFT}, kl),
    (
        "kl, logits, target as log probabilities",
        {"kl": {"logits": True, "logTarget": True}},
        {"y": Y},
        {"t": LOG_T},
        lambda y, t: kl(y, t, log_target=True),
    ),
    (
        "kl, log probabilities",
        {"kl": {"logits": False}},
        {"y": LOG_Q},
        {"t": SOFT},
        lambda y, t: F.kl_div(y, t, reduction="batchmean"),
    ),
    ("cosine", {"cosine": {}}, {"a": A, "b": B}, {}, lambda a, b: (1 - F.cosine_similarity(a, b, eps=1e-8)).mean()),
    (
        "cosine embedding",
        {"cosineEmbedding": {"margin": 0}},
        {"a": A, "b": A + B},
        {"t": SIGNS},
        F.cosine_embedding_loss,
    ),
    (
        "cosine embedding, margin",
        {"cosineEmbedding": {"margin": 0.8}},
        {"a": A, "b": A + B},
        {"t": SIGNS},
        lambda a, b, t: F.cosine_embedding_loss(a, b, t, margin=0.8),
    ),
    ("infoNCE", {"infoNCE": {"temperature": 0.07}}, {"a": A, "b": B}, {}, lambda a, b: info_nce(a, b, 0.07)),
    (
        "infoNCE, near pairs",
        {"infoNCE": {"temperature": 0.07}},
        {"a": A, "b": A + B / 4},
        {},
        lambda a, b: info_nce(a, b, 0.07),
    ),
]


def run(name, loss, differentiable, others, value_of):
    leaves = {key: value.clone().requires_grad_() for key, value in differentiable.items()}
    value = value_of(*leaves.values(), *others.values())
    value.backward()
    inputs = {key: tensor(given) for key, given in {**differentiable, **others}.items()}
    gradients = {key: tensor(leaf.grad) for key, leaf in leaves.items()}
    return {"name": name, "loss": loss, "inputs": inputs, "value": data(value)[0], "gradients": gradients}


if __name__ == "__main__":
    write("losses.json", "losses.py", __doc__.split("\n\n", 2)[2], cases=[run(*case) for case in CASES])
