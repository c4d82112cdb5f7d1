"""Settings that the packages need before they are used; imported first."""

import os
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("YOLO_OFFLINE", "1")
os.environ.setdefault("YOLO_CONFIG_DIR", "/tmp")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def prepare() -> None:
    try:
        prepare_torch()
    except ModuleNotFoundError:
        pass


def prepare_torch() -> None:
    """Two threads, plain attention, and torchvision's nms and roi_align: in Python where its own build doesn't fit the PyTorch at hand."""
    import torch

    torch.set_num_threads(2)
    torch.backends.mha.set_fastpath_enabled(False)
    boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    pooled = "(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width, int sampling_ratio, bool aligned) -> Tensor"
    for name, schema in (("nms", boxes), ("qnms", boxes), ("roi_align", pooled)):
        try:
            torch.library.define(f"torchvision::{name}", schema)
        except RuntimeError:
            pass
    import torchvision

    if not torchvision.extension._has_ops():
        torch.library.impl("torchvision::nms", "CPU", nms)
        from torchvision.ops import roi_align

        pool = roi_align.__globals__["_roi_align"]
        pool = getattr(pool, "__wrapped__", pool)

        def pool_at(x, regions, *rest):
            """As torchvision's own, which gives the regions no gradient."""
            with torch.no_grad():
                fixed = regions.clone()
            return pool(x, fixed, *rest)

        torch.library.impl("torchvision::roi_align", "CompositeImplicitAutograd", pool_at)
        for module in (torchvision.extension.__dict__, torchvision.ops.boxes.__dict__, roi_align.__globals__):
            module["_assert_has_ops"] = nothing
        roi_align.__globals__["_has_ops"] = there


def nothing() -> None:
    pass


def there() -> bool:
    return True


def nms(boxes, scores, threshold):
    """Greedy non-maximum suppression, as torchvision's own."""
    import torch
    from torchvision.ops.boxes import box_iou

    order = scores.argsort(descending=True, stable=True)
    kept = []
    while order.numel() > 0:
        kept.append(order[0])
        order = order[1:][box_iou(boxes[order[:1]], boxes[order[1:]])[0] <= threshold]
    return torch.stack(kept) if kept else torch.empty(0, dtype=torch.long)
