// What the sources that call the HDF5 library have in common.
#pragma once

#include <hdf5.h>

namespace caffe {

// A handle that closes itself at the end of its scope.
class Hdf5Handle {
 public:
  Hdf5Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// Before anything else is asked of HDF5. It prints its own stack of messages; ours say what matters. At the end of the
// process it would close what is open once more, and crash where that failed before, on a full disk.
inline void SilenceHdf5() {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

inline hid_t Hdf5Type(const float*) { return H5T_NATIVE_FLOAT; }
inline hid_t Hdf5Type(const double*) { return H5T_NATIVE_DOUBLE; }

}  // namespace caffe
