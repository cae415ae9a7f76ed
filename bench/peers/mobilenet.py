"""MobileNetV2 in PyTorch, as bench/networks.ts writes it."""
from torch import nn


def mobilenet():
    """MobileNetV2 without its classifier, batch norm folded into the convolutions as in the file of bench/networks.ts."""
    def conv(inputs, outputs, kernel, stride=1, groups=1, active=True):
        layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)
        return nn.Sequential(layer, nn.ReLU6(inplace=True)) if active else layer

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride, expansion):
            super().__init__()
            inner = inputs * expansion
            wide = [] if expansion == 1 else [conv(inputs, inner, 1)]
            self.body = nn.Sequential(*wide, conv(inner, inner, 3, stride, inner), conv(inner, outputs, 1, active=False))
            self.residual = stride == 1 and inputs == outputs

        def forward(self, x):
            return x + self.body(x) if self.residual else self.body(x)

    layers, channels = [conv(3, 32, 3, 2)], 32
    for expansion, filters, blocks, first in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                              (6, 160, 3, 2), (6, 320, 1, 1)]:
        for block in range(blocks):
            layers.append(Block(channels, filters, first if block == 0 else 1, expansion))
            channels = filters
    return nn.Sequential(*layers, conv(channels, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
