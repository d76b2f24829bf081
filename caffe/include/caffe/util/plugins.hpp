// Layers built elsewhere, loaded into programs that exist.
#pragma once

namespace caffe {

// Loads the shared libraries that the environment variable CAFFE_PLUGINS lists, colon separated: their layers register
// themselves as they are loaded, and are then known by their types. Called by GlobalInit and by `import caffe`; a
// second call does nothing. Throws Error for a library that cannot be loaded, naming it and the reason.
void LoadPlugins();

}  // namespace caffe
