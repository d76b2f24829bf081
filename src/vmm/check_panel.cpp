#include "vmm/check_panel.hpp"

#include <cstdint>
#include <sstream>
#include <stdexcept>

#include "vmm/vmm.hpp"

namespace rxnn {

void CheckPanel(int rows, int cols, int vectors, const void* levels) {
  const bool sizes = rows >= 0 && vectors >= 0 && cols >= 0 && cols <= kPanelCols && cols % kPanelPad == 0;
  const bool aligned = reinterpret_cast<std::uintptr_t>(levels) % kPanelAlignment == 0;
  if (sizes && aligned) return;
  std::ostringstream message;
  message << "panel of " << rows << " x " << cols << " cells at " << levels << " for " << vectors
          << " vectors: expected no negative size, columns in multiples of " << kPanelPad << " up to " << kPanelCols
          << ", an address that is a multiple of " << kPanelAlignment;
  throw std::invalid_argument(message.str());
}

}  // namespace rxnn
