"""Networks as prototxt text, made from their published shapes: inputs, layers, random weights by fillers."""

from collections.abc import Callable


class NetText:
    """Collects layers; `last` is the blob that the next layer takes by default."""

    def __init__(self, name: str, shape: tuple[int, int, int, int]) -> None:
        self.parts = [f'name: "{name}"']
        self.last = "data"
        dims = " ".join(f"dim: {size}" for size in shape)
        self._layer("data", "Input", [], f"input_param {{ shape {{ {dims} }} }}")

    def text(self) -> str:
        """The prototxt."""
        return "\n".join(self.parts) + "\n"

    def conv(
        self, name: str, outputs: int, kernel: int, *, stride: int = 1, pad: int = 0, group: int = 1, bias: bool = True
    ) -> str:
        """A convolution."""
        param = (
            f"convolution_param {{ num_output: {outputs} kernel_size: {kernel} stride: {stride} pad: {pad} "
            f'group: {group} bias_term: {str(bias).lower()} weight_filler {{ type: "msra" }} }}'
        )
        return self._layer(name, "Convolution", [self.last], param)

    def fc(self, name: str, outputs: int) -> str:
        """An inner product."""
        return self._layer(
            name,
            "InnerProduct",
            [self.last],
            f'inner_product_param {{ num_output: {outputs} weight_filler {{ type: "msra" }} }}',
        )

    def relu(self) -> str:
        """In place."""
        self.parts.append(f'layer {{ name: "relu_{self.last}" type: "ReLU" bottom: "{self.last}" top: "{self.last}" }}')
        return self.last

    def norm(self) -> str:
        """Batch normalisation with its scale, as deployed, in place."""
        for kind, param in (("BatchNorm", ""), ("Scale", "scale_param { bias_term: true }")):
            self.parts.append(
                f'layer {{ name: "{kind.lower()}_{self.last}" type: "{kind}" bottom: "{self.last}" '
                f'top: "{self.last}" {param} }}'
            )
        return self.last

    def lrn(self, name: str) -> str:
        """AlexNet's normalisation across channels."""
        return self._layer(name, "LRN", [self.last], "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }")

    def pool(self, name: str, kernel: int, stride: int, *, pad: int = 0) -> str:
        """The largest of each window."""
        param = f"pooling_param {{ pool: MAX kernel_size: {kernel} stride: {stride} pad: {pad} }}"
        return self._layer(name, "Pooling", [self.last], param)

    def global_pool(self, name: str) -> str:
        """The mean of each channel."""
        return self._layer(name, "Pooling", [self.last], "pooling_param { pool: AVE global_pooling: true }")

    def add(self, name: str, a: str, b: str) -> str:
        """The sum of two blobs."""
        return self._layer(name, "Eltwise", [a, b], "")

    def concat(self, name: str, *blobs: str) -> str:
        """Blobs, channel after channel."""
        return self._layer(name, "Concat", list(blobs), "")

    def _layer(self, name: str, kind: str, bottoms: list[str], param: str) -> str:
        joined = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
        self.parts.append(f'layer {{ name: "{name}" type: "{kind}" {joined} top: "{name}" {param} }}')
        self.last = name
        return name


def squeezenet(batch: int) -> str:
    """SqueezeNet v1.0 (Iandola et al., 2016), 1.2 M weights."""
    net = NetText("SqueezeNet", (batch, 3, 227, 227))
    net.conv("conv1", 96, 7, stride=2)
    net.relu()
    net.pool("pool1", 3, 2)
    for index, (squeeze, expand) in enumerate(
        [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)], start=2
    ):
        name = f"fire{index}"
        net.conv(f"{name}/squeeze1x1", squeeze, 1)
        narrow = net.relu()
        net.conv(f"{name}/expand1x1", expand, 1)
        small = net.relu()
        net.last = narrow
        net.conv(f"{name}/expand3x3", expand, 3, pad=1)
        net.concat(f"{name}/concat", small, net.relu())
        if index in (4, 8):
            net.pool(f"pool{index}", 3, 2)
    net.conv("conv10", 1000, 1)
    net.relu()
    net.global_pool("pool10")
    return net.text()


def googlenet(batch: int) -> str:
    """GoogLeNet without its auxiliary classifiers (Szegedy et al., 2014), 7 M weights."""
    net = NetText("GoogLeNet", (batch, 3, 224, 224))

    def conv(name: str, outputs: int, kernel: int, *, stride: int = 1) -> str:
        net.conv(name, outputs, kernel, stride=stride, pad=kernel // 2)
        return net.relu()

    conv("conv1", 64, 7, stride=2)
    net.pool("pool1", 3, 2)
    net.lrn("norm1")
    conv("conv2_reduce", 64, 1)
    conv("conv2", 192, 3)
    net.lrn("norm2")
    net.pool("pool2", 3, 2)
    # 1x1; 1x1 before 3x3, 3x3; 1x1 before 5x5, 5x5; 1x1 behind the pool.
    sizes = {
        "3a": (64, 96, 128, 16, 32, 32),
        "3b": (128, 128, 192, 32, 96, 64),
        "4a": (192, 96, 208, 16, 48, 64),
        "4b": (160, 112, 224, 24, 64, 64),
        "4c": (128, 128, 256, 24, 64, 64),
        "4d": (112, 144, 288, 32, 64, 64),
        "4e": (256, 160, 320, 32, 128, 128),
        "5a": (256, 160, 320, 32, 128, 128),
        "5b": (384, 192, 384, 48, 128, 128),
    }
    for name, (one, before3, three, before5, five, pooled) in sizes.items():
        start = net.last
        branches = [conv(f"{name}/1x1", one, 1)]
        for kernel, before, outputs in ((3, before3, three), (5, before5, five)):
            net.last = start
            conv(f"{name}/{kernel}x{kernel}_reduce", before, 1)
            branches.append(conv(f"{name}/{kernel}x{kernel}", outputs, kernel))
        net.last = start
        net.pool(f"{name}/pool", 3, 1, pad=1)
        branches.append(conv(f"{name}/pool_proj", pooled, 1))
        net.concat(f"{name}/concat", *branches)
        if name in ("3b", "4e"):
            net.pool(f"pool_{name}", 3, 2)
    net.global_pool("pool5")
    net.fc("fc", 1000)
    return net.text()


def alexnet(batch: int) -> str:
    """AlexNet in two groups (Krizhevsky et al., 2012), 61 M weights."""
    net = NetText("AlexNet", (batch, 3, 227, 227))
    net.conv("conv1", 96, 11, stride=4)
    net.relu()
    net.lrn("norm1")
    net.pool("pool1", 3, 2)
    net.conv("conv2", 256, 5, pad=2, group=2)
    net.relu()
    net.lrn("norm2")
    net.pool("pool2", 3, 2)
    for name, outputs, group in (("conv3", 384, 1), ("conv4", 384, 2), ("conv5", 256, 2)):
        net.conv(name, outputs, 3, pad=1, group=group)
        net.relu()
    net.pool("pool5", 3, 2)
    for name, outputs in (("fc6", 4096), ("fc7", 4096)):
        net.fc(name, outputs)
        net.relu()
    net.fc("fc8", 1000)
    return net.text()


def vgg16(batch: int) -> str:
    """VGG-16 (Simonyan and Zisserman, 2014), 138 M weights."""
    net = NetText("VGG-16", (batch, 3, 224, 224))
    for stage, (outputs, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], start=1):
        for index in range(1, count + 1):
            net.conv(f"conv{stage}_{index}", outputs, 3, pad=1)
            net.relu()
        net.pool(f"pool{stage}", 2, 2)
    for name, outputs in (("fc6", 4096), ("fc7", 4096)):
        net.fc(name, outputs)
        net.relu()
    net.fc("fc8", 1000)
    return net.text()


def _residual(net: NetText, name: str, branch: Callable[[], None], outputs: int, stride: int) -> None:
    """`branch` beside a shortcut, which is a 1x1 convolution where the shape changes."""
    start = net.last
    branch()
    end = net.last
    if outputs:
        net.last = start
        net.conv(f"{name}_shortcut", outputs, 1, stride=stride, bias=False)
        start = net.norm()
    net.add(f"{name}_sum", start, end)
    net.relu()


def resnet50(batch: int) -> str:
    """ResNet-50 (He et al., 2015), 26 M weights."""
    net = NetText("ResNet-50", (batch, 3, 224, 224))
    net.conv("conv1", 64, 7, stride=2, pad=3)
    net.norm()
    net.relu()
    net.pool("pool1", 3, 2)
    for stage, (width, count) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], start=2):
        for index in range(count):
            name = f"res{stage}{chr(ord('a') + index)}"
            stride = 2 if index == 0 and stage > 2 else 1

            def branch(name: str = name, width: int = width, stride: int = stride) -> None:
                parts = (("a", width, 1, stride), ("b", width, 3, 1), ("c", 4 * width, 1, 1))
                for part, outputs, kernel, step in parts:
                    net.conv(f"{name}_{part}", outputs, kernel, stride=step, pad=kernel // 2, bias=False)
                    net.norm()
                    if part != "c":
                        net.relu()

            _residual(net, name, branch, 4 * width if index == 0 else 0, stride)
    net.global_pool("pool5")
    net.fc("fc1000", 1000)
    return net.text()


def resnet20(batch: int) -> str:
    """ResNet-20 for CIFAR-10 (He et al., 2015), 0.27 M weights."""
    net = NetText("ResNet-20", (batch, 3, 32, 32))
    net.conv("conv1", 16, 3, pad=1, bias=False)
    net.norm()
    net.relu()
    for stage, width in enumerate([16, 32, 64], start=1):
        for index in range(3):
            name = f"res{stage}_{index}"
            stride = 2 if index == 0 and stage > 1 else 1

            def branch(name: str = name, width: int = width, stride: int = stride) -> None:
                net.conv(f"{name}_a", width, 3, stride=stride, pad=1, bias=False)
                net.norm()
                net.relu()
                net.conv(f"{name}_b", width, 3, pad=1, bias=False)
                net.norm()

            _residual(net, name, branch, width if stride == 2 else 0, stride)
    net.global_pool("pool")
    net.fc("fc", 10)
    return net.text()


NETWORKS: dict[str, Callable[[int], str]] = {
    "squeezenet": squeezenet,
    "alexnet": alexnet,
    "googlenet": googlenet,
    "resnet50": resnet50,
    "vgg16": vgg16,
    "resnet20": resnet20,
}


def with_loss(text: str, batch: int) -> str:
    """The network with the softmax loss of its last blob against a second input, "label", one number for each image."""
    scores = text.rsplit(' top: "', 1)[1].split('"')[0]
    return text + (
        f'layer {{ name: "label" type: "Input" top: "label" input_param {{ shape {{ dim: {batch} }} }} }}\n'
        f'layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "{scores}" bottom: "label" top: "loss" }}\n'
    )
