// The matrix unit of x86 processors: AMX tiles and their products of bytes.
#pragma once

namespace rxnn {

// True where the processor and the operating system have it and AVX-512, and it is not forbidden.
bool HasMatrixUnit();

// Forbids it, as RXNN_TARGET may, or allows it again.
void ForbidMatrixUnit(bool forbid);

}  // namespace rxnn
