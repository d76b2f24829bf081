// What a layer implements if its next output depends on what it has put out before.
#pragma once

#include <string>

namespace caffe {

// Sources of data: their place in the data and their random state go into snapshots, so that a resumed run sees the
// batches that the interrupted one would have seen.
class Resumable {
 public:
  virtual ~Resumable() = default;
  // As of the last batch that was put out, whatever is already read ahead.
  virtual std::string SaveState() const = 0;
  // Throws Error for a state that is not of this layer's data.
  virtual void RestoreState(const std::string& state) = 0;
};

}  // namespace caffe
