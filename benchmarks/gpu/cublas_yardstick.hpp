// float32 matrix products of cuBLAS, where the machine has it: looked for when the program runs, so that nothing of it
// is needed to build.
#pragma once

namespace rxnn {

// Multiplies n x n matrices in the memory of the device once; false where there is no cuBLAS, or it failed.
class CublasYardstick {
 public:
  CublasYardstick();
  bool found() const { return multiply_ != nullptr; }
  bool Multiply(int n, const float* a, const float* b, float* c) const;

 private:
  using Create = int (*)(void**);
  using Sgemm = int (*)(void*, int, int, int, int, int, const float*, const float*, int, const float*, int,
                        const float*, float*, int);
  void* handle_ = nullptr;
  Sgemm multiply_ = nullptr;
};

}  // namespace rxnn
