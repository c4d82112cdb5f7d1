"""What scipy and scikit-image say of maps and blurs: the numbers in packages/cam-core/src/metrics/{similarity,baseline}.test.ts

usage: python similarity.py        needs: numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0
"""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity


def wave(length, step, start):
    return (0.5 + 0.5 * np.sin(step * np.arange(length) + start)).astype(np.float32)


def main():
    a = np.array([0.1, 0.4, 0.4, -1.5, 2, 0.4, 0, 0, 3, -0.0])
    b = np.array([1, 0.5, 2, 2, -3, 0.5, 0.25, 1, 7, 0])
    print("rank correlation with ties", spearmanr(a, b).statistic)
    u = wave(500, 1.7, 0.1)
    v = np.round(wave(500, 1.3, 0.2) * 4) / 4 + u
    print("rank correlation", spearmanr(u, v.astype(np.float32)).statistic)

    x, y = wave(143, 0.37, 0.1).reshape(11, 13), wave(143, 0.31, 0.4).reshape(11, 13)
    print("similarity, 2-D", structural_similarity(x, y, data_range=1.0))
    print("similarity, scaled", structural_similarity(x, (x * 0.9 + 0.03).astype(np.float32), data_range=1.0))
    x, y = wave(720, 0.37, 0.1).reshape(8, 9, 10), wave(720, 0.29, 0.4).reshape(8, 9, 10)
    print("similarity, 3-D", structural_similarity(x, y, data_range=1.0))

    picture = wave(60, 0.9, 0).reshape(1, 2, 5, 6).astype(np.float64)
    blurred = gaussian_filter(picture, sigma=(0, 0, 1.5, 1.5), mode="nearest", radius=(0, 0, 2, 2))
    print("blur", blurred[0, 0, 0, :3], blurred[0, 1, 4, 3:], blurred.sum())


if __name__ == "__main__":
    main()
