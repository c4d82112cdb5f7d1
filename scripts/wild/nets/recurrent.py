"""Networks with LSTM and GRU, on series and on the features of pictures."""

from __future__ import annotations

import torch
from torch import nn

from case import Case, clips, enliven, photo, pictures, script
from registry import network


class Recurrent(nn.Module):
    """[N, C, T] → convolutions → a recurrent layer in both directions → classes."""

    def __init__(self, kind: str):
        super().__init__()
        self.features = nn.Sequential(nn.Conv1d(6, 16, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(16, 24, 3, padding=1), nn.ReLU())
        self.recurrent = getattr(nn, kind)(24, 16, batch_first=True, bidirectional=True, num_layers=2)
        self.head = nn.Linear(32, 7)

    def forward(self, x):
        h, _ = self.recurrent(self.features(x).transpose(1, 2))
        return self.head(h[:, -1])


@network("LSTM classifier", "PyTorch 2.13", "two-layer bidirectional LSTM on a series")
def lstm_classifier():
    return Case(enliven(Recurrent("LSTM"), 40), pictures("input", 1, 6, 64), "features", export=script(17, dynamic=False))


@network("GRU classifier", "PyTorch 2.13", "two-layer bidirectional GRU on a series, free batch")
def gru_classifier():
    return Case(enliven(Recurrent("GRU"), 41), pictures("input", 1, 6, 64), "features")


class CnnLstm(nn.Module):
    """A clip [N, T, C, H, W]: a small CNN per frame, an LSTM over frames."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1), nn.ReLU(), nn.Conv2d(12, 16, 3, 2, 1), nn.ReLU())
        self.lstm = nn.LSTM(16, 12)
        self.head = nn.Linear(12, 5)

    def forward(self, x):
        n, t = x.shape[:2]
        f = self.cnn(x.flatten(0, 1)).mean((2, 3)).reshape(n, t, -1).transpose(0, 1)
        return self.head(self.lstm(f)[0][-1])


@network("CNN and LSTM on clips", "PyTorch 2.13", "a CNN per frame, an LSTM over frames: [N, T, C, H, W]")
def cnn_lstm():
    return Case(enliven(CnnLstm(), 42), pictures("clip", 1, 5, 3, 48, 48), "cnn", "NTCHW:5", export=script(17, dynamic=False),
                ask=clips("clip", [5, 48, 48]))
