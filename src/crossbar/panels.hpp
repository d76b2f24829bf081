// How the matrices of a layer lie in memory for the kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include "crossbar/parallel.hpp"
#include "hwy/aligned_allocator.h"
#include "rxnn/mapping.hpp"
#include "vmm/vmm.hpp"

namespace rxnn {

// At most kPanelCols neighbouring columns of one column tile.
struct Panel {
  int col_tile = 0;
  int first_col = 0;              // in the whole matrix
  int cols = 0;                   // in use
  int stride = 0;                 // stored: cols rounded up to a multiple of kPanelPad
  std::size_t stored_before = 0;  // stored columns of all panels to the left
};

// The panels of a grid, from left to right.
std::vector<Panel> MakePanels(const TileGrid& grid);

// Aligned memory that grows.
template <typename T>
class AlignedRoom {
 public:
  // Room for `size` elements; what was there may be lost.
  T* Reserve(std::size_t size) {
    if (size > size_) {
      data_ = hwy::AllocateAligned<T>(size);
      if (!data_) throw std::bad_alloc();
      size_ = size;
    }
    return data_.get();
  }
  T* data() const { return data_.get(); }

 private:
  hwy::AlignedFreeUniquePtr<T[]> data_;
  std::size_t size_ = 0;
};

// `groups` x `matrices` matrices of one grid. Within a group and a row tile, panel follows panel, and in a panel matrix
// follows matrix: what a kernel reads together lies together. Padding is 0.
template <typename T>
class PanelStore {
 public:
  PanelStore() = default;

  PanelStore(const TileGrid& grid, const std::vector<Panel>& panels, int groups, int matrices)
      : inputs_(grid.inputs), rows_(grid.rows), matrices_(matrices) {
    stored_cols_ = panels.back().stored_before + panels.back().stride;
    const std::size_t size = static_cast<std::size_t>(groups) * inputs_ * stored_cols_ * matrices_;
    cells_ = hwy::AllocateAligned<T>(size);
    if (!cells_) throw std::bad_alloc();
    // In pieces, on all cores: for a large layer the first touch of the memory is most of the work.
    constexpr std::size_t kPiece = std::size_t{1} << 20;
    ParallelWork(static_cast<std::int64_t>((size + kPiece - 1) / kPiece), [&] {
      return [&](std::int64_t i) {
        const std::size_t begin = static_cast<std::size_t>(i) * kPiece;
        std::fill_n(cells_.get() + begin, std::min(kPiece, size - begin), T{0});
      };
    });
  }

  bool empty() const { return !cells_; }
  int matrices() const { return matrices_; }

  // Row 0 of the first matrix of a panel: [matrix][used_rows][panel.stride].
  const T* panel(int group, int row_tile, int used_rows, const Panel& panel) const {
    return cells_.get() + Offset(group, row_tile, used_rows, panel);
  }

  // Row 0 of one matrix of a panel: [used_rows][panel.stride].
  T* matrix(int group, int row_tile, int used_rows, const Panel& panel, int matrix) {
    return cells_.get() + Offset(group, row_tile, used_rows, panel) + MatrixOffset(used_rows, panel, matrix);
  }
  const T* matrix(int group, int row_tile, int used_rows, const Panel& panel, int matrix) const {
    return cells_.get() + Offset(group, row_tile, used_rows, panel) + MatrixOffset(used_rows, panel, matrix);
  }

 private:
  std::size_t Offset(int group, int row_tile, int used_rows, const Panel& panel) const {
    const std::size_t rows_before =
        static_cast<std::size_t>(group) * inputs_ + static_cast<std::size_t>(row_tile) * rows_;
    return (rows_before * stored_cols_ + used_rows * panel.stored_before) * matrices_;
  }
  static std::size_t MatrixOffset(int used_rows, const Panel& panel, int matrix) {
    return static_cast<std::size_t>(matrix) * used_rows * panel.stride;
  }

  std::size_t inputs_ = 0;
  std::size_t rows_ = 0;
  std::size_t stored_cols_ = 0;
  int matrices_ = 0;
  hwy::AlignedFreeUniquePtr<T[]> cells_;
};

}  // namespace rxnn
