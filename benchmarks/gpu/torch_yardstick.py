"""Matrix products of PyTorch on the first GPU, as a yardstick: float32 without TF32, and bfloat16."""

import time

import torch


def best_seconds(left: torch.Tensor, right: torch.Tensor) -> float:
    """The shortest of ten products."""
    best = float("inf")
    for _ in range(10):
        torch.cuda.synchronize()
        start = time.perf_counter()
        left @ right
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    """Prints one line for each kind of number."""
    if not torch.cuda.is_available():
        print("PyTorch: sees no GPU")
        return
    torch.backends.cuda.matmul.allow_tf32 = False
    n = 4096
    for kind in (torch.float32, torch.bfloat16):
        left = torch.rand(n, n, device="cuda").to(kind)
        right = torch.rand(n, n, device="cuda").to(kind)
        seconds = best_seconds(left, right)
        rate = 2e-12 * n**3 / seconds
        print(f"PyTorch {torch.__version__}, {n} x {n} {kind}: {1e3 * seconds:.3f} ms, {rate:.1f} TFLOP/s")


if __name__ == "__main__":
    main()
