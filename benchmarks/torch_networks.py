"""Times the networks of engine.py in PyTorch, from the same prototxt files, with an interpreter that has torch.

Arguments: prototxt, number of threads, "test" or "train", "cpu" or "gpu". Then numbers of passes on standard input, one
a line; each is answered with the seconds of every pass, as JSON. Its own parser reads the few layer types of
networks.py, so that it needs nothing but torch.
"""

import re
import sys

import torch
from contestant import answer_passes
from torch import nn

TOKEN = re.compile(r'"[^"]*"|[{}:]|[^\s{}:]+')


def parse(text: str) -> dict[str, list]:
    """Text-format protobuf as nested dictionaries of lists."""
    tokens = iter(TOKEN.findall(text))

    def message() -> dict[str, list]:
        fields: dict[str, list] = {}
        for name in tokens:
            if name == "}":
                break
            value = next(tokens)
            if value == ":":
                value = next(tokens)
            fields.setdefault(name, []).append(message() if value == "{" else value.strip('"'))
        return fields

    return message()


class Network(nn.Module):
    """The layers in order; values by the names of their blobs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.steps = []
        self.shape: list[int] = []
        shapes: dict[str, int] = {}  # channels of a blob
        for layer in parse(text)["layer"]:
            self._add(layer, shapes)

    def _add(self, layer: dict, shapes: dict[str, int]) -> None:
        kind, name, top = layer["type"][0], layer["name"][0], layer["top"][0]
        bottoms = layer.get("bottom", [])
        if kind == "Input":
            dims = [int(size) for size in layer["input_param"][0]["shape"][0]["dim"]]
            if len(dims) > 1:
                self.shape = dims
            shapes[top] = dims[1] if len(dims) > 1 else 1
            return
        channels = shapes[bottoms[0]]
        module: nn.Module | None = None

        def number(param: dict, field: str, default: int = 0) -> int:
            return int(param.get(field, [default])[0])

        if kind == "Convolution":
            param = layer["convolution_param"][0]
            outputs = number(param, "num_output")
            module = nn.Conv2d(
                channels,
                outputs,
                number(param, "kernel_size"),
                number(param, "stride", 1),
                number(param, "pad"),
                groups=number(param, "group", 1),
                bias=param.get("bias_term", ["true"])[0] == "true",
            )
            shapes[top] = outputs
        elif kind == "InnerProduct":
            outputs = number(layer["inner_product_param"][0], "num_output")
            module = nn.Sequential(nn.Flatten(), nn.LazyLinear(outputs))
            shapes[top] = outputs
        elif kind == "ReLU":
            module = nn.ReLU(inplace=True)
        elif kind == "BatchNorm":
            module = nn.BatchNorm2d(channels)  # its Scale is part of it
        elif kind == "LRN":
            module = nn.LocalResponseNorm(5, 0.0001, 0.75)
        elif kind == "Pooling":
            param = layer["pooling_param"][0]
            if param["pool"][0] == "MAX":
                module = nn.MaxPool2d(
                    number(param, "kernel_size"), number(param, "stride", 1), number(param, "pad"), ceil_mode=True
                )
            else:
                module = nn.AdaptiveAvgPool2d(1)
        elif kind == "Concat":
            shapes[top] = sum(shapes[bottom] for bottom in bottoms)
        elif kind == "Scale":
            return
        elif kind not in ("Eltwise", "SoftmaxWithLoss"):
            raise ValueError(f"a layer of type {kind}")
        shapes.setdefault(top, channels)
        if module is not None:
            self.add_module(name.replace("/", "_"), module)
        self.steps.append((kind, module, bottoms, top))

    def forward(self, data: torch.Tensor, label: torch.Tensor | None = None) -> torch.Tensor:
        """The last blob."""
        blobs = {"data": data, "label": label}
        for kind, module, bottoms, top in self.steps:
            values = [blobs[bottom] for bottom in bottoms]
            if module is not None:
                blobs[top] = module(values[0])
            elif kind == "Concat":
                blobs[top] = torch.cat(values, 1)
            elif kind == "Eltwise":
                blobs[top] = values[0] + values[1]
            else:
                blobs[top] = nn.functional.cross_entropy(values[0].flatten(1), values[1])
        return blobs[top]


def main() -> None:
    """Answers commands until standard input ends."""
    path, threads, train = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "train"
    torch.set_num_threads(threads)
    with open(path) as file:
        net = Network(file.read())
    device = torch.device("cuda" if sys.argv[4] == "gpu" else "cpu")
    torch.backends.cudnn.allow_tf32 = False
    net.to(device)
    data = torch.rand(net.shape, device=device)
    label = torch.zeros(net.shape[0], dtype=torch.long, device=device)
    net.train(train)
    with torch.no_grad():
        net(data, label)  # gives lazy layers their shapes
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, weight_decay=5e-4) if train else None

    def run() -> None:
        if optimizer is None:
            with torch.inference_mode():
                net(data)
        else:
            optimizer.zero_grad(set_to_none=True)
            net(data, label).backward()
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    answer_passes(run, version=torch.__version__)


if __name__ == "__main__":
    main()
