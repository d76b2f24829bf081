// What x86 processors multiply bytes with, adding up in 32-bit integers.
#pragma once

namespace rxnn {

// From least to most: nothing; vectors (AVX-512 VNNI); the tiles of the matrix unit (AMX).
enum class ByteProducts { kNone, kVectors, kTiles };

// The most that the processor and the operating system have, with AVX-512, and that is not forbidden.
ByteProducts BestByteProducts();

// Forbids more than `most`, as RXNN_TARGET may.
void LimitByteProducts(ByteProducts most);

}  // namespace rxnn
