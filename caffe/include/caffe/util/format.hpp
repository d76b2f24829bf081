// Numbers as text.
#pragma once

#include <iomanip>
#include <sstream>
#include <string>

namespace caffe {

// Decimal digits, filled up with zeros in front to at least `width` characters: format_int(7, 3) is "007".
inline std::string format_int(int n, int width = 0) {
  std::ostringstream text;
  text << std::setfill('0') << std::internal << std::setw(width) << n;
  return text.str();
}

}  // namespace caffe
