// What all kernels ask of a panel.
#pragma once

namespace rxnn {

// Throws std::invalid_argument unless sizes are not negative, columns a multiple of kPanelPad up to kPanelCols, and
// `levels` aligned to kPanelAlignment.
void CheckPanel(int rows, int cols, int vectors, const void* levels);

}  // namespace rxnn
