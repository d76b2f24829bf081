#include "crossbar/panels.hpp"

#include <algorithm>

namespace rxnn {

std::vector<Panel> MakePanels(const TileGrid& grid) {
  std::vector<Panel> panels;
  std::size_t stored = 0;
  for (int col_tile = 0; col_tile < grid.col_tiles; ++col_tile) {
    const int used = grid.used_cols(col_tile);
    for (int begin = 0; begin < used; begin += kPanelCols) {
      Panel panel;
      panel.col_tile = col_tile;
      panel.first_col = grid.first_col(col_tile) + begin;
      panel.cols = std::min(kPanelCols, used - begin);
      panel.stride = (panel.cols + kPanelPad - 1) / kPanelPad * kPanelPad;
      panel.stored_before = stored;
      stored += panel.stride;
      panels.push_back(panel);
    }
  }
  return panels;
}

}  // namespace rxnn
