// The text file of windows that the WindowData layer reads; its form stands in window_data_layer.hpp.
#pragma once

#include <string>
#include <vector>

#include "caffe/common.hpp"

namespace caffe {

struct WindowFileBox {
  int label;
  float overlap;
  int x1, y1, x2, y2;
};

struct WindowFileImage {
  string name;
  int channels, height, width;
  int line;  // of the name, from 1
  vector<WindowFileBox> boxes;
};

// Throws Error for a file that cannot be read or names no image, and naming the line where something else was expected.
vector<WindowFileImage> ReadWindowFile(const string& filename);

}  // namespace caffe
