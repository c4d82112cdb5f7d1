"""Shows why some PyTorch references of networks with BatchNorm are not derivatives.

usage: python batchnorm_eval_backward.py        needs: torch==2.13.0

In eval mode BatchNorm2d is y = x * scale + offset per channel, so dx = dy * scale. When dy is a batch of one that comes from
tokens (transposed and unflattened: strides C, 1, W·C, C) while x is contiguous, PyTorch 2.13's CPU kernel returns something
else, in float32 and float64 alike. LeViT, EfficientFormer and XCiT have such a place.
"""
import torch

torch.manual_seed(0)
for dtype in (torch.float32, torch.float64):
    norm = torch.nn.BatchNorm2d(16).to(dtype).eval()
    norm.running_mean.normal_(), norm.running_var.uniform_(0.5, 1.5)
    x = torch.randn(1, 16, 14, 14, dtype=dtype, requires_grad=True)
    dy = torch.randn(1, 14 * 14, 16, dtype=dtype).transpose(1, 2).unflatten(2, (14, 14))  # tokens seen as [N, C, H, W]
    exact = dy * (norm.weight.detach() / (norm.running_var + norm.eps).sqrt()).view(1, -1, 1, 1)
    for name, cotangent in (("dy from tokens", dy), ("contiguous dy", dy.contiguous())):
        dx = torch.autograd.grad(norm(x), x, cotangent)[0].detach()
        print(f"{dtype} {name}: max error / max = {float((dx - exact).abs().max() / exact.abs().max()):.1e}")
