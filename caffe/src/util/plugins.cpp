#include "caffe/util/plugins.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <sstream>
#include <string>

#include "caffe/common.hpp"

namespace caffe {
namespace {

void LoadLibrary(const string& path) {
  // Never closed: the registry keeps pointers to its functions.
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
  throw Error("CAFFE_PLUGINS: cannot load " + path + ": " + dlerror());
}

}  // namespace

void LoadPlugins() {
  static bool loaded = false;
  const char* list = std::getenv("CAFFE_PLUGINS");
  if (loaded || list == nullptr) return;
  std::istringstream paths(list);
  for (string path; std::getline(paths, path, ':');) {
    if (!path.empty()) LoadLibrary(path);
  }
  loaded = true;
}

}  // namespace caffe
