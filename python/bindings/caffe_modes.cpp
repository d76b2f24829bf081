// What holds for the whole process: CPU or GPU, random numbers, the log, and the numbers of solvers.
#include "caffe/util/gpu_runtime.hpp"
#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

void InitLog(int level, bool to_stderr) {
  FLAGS_minloglevel = level;
  FLAGS_logtostderr = to_stderr;
  if (!google::IsGoogleLoggingInitialized()) google::InitGoogleLogging("caffe");
}

// On the GPU that set_device chose, the first one by itself.
void SetModeGpu() { caffe::UseGpu(caffe::GpuRuntime::Require().Device()); }

}  // namespace

void BindModes(py::module_& module) {
  // Until a script says otherwise, lines go to stderr, and no files are made.
  if (!google::IsGoogleLoggingInitialized()) InitLog(FLAGS_minloglevel, true);

  module.def(
      "set_mode_cpu", [] { caffe::Caffe::set_mode(caffe::Caffe::CPU); }, "Layers compute on the CPU.");
  module.def("set_mode_gpu", &SetModeGpu,
             "Layers compute on the GPU. Raises caffe.Error in a build without CUDA, and where there is no GPU.");
  module.def("set_device", &caffe::Caffe::SetDevice, py::arg("device"),
             "Chooses a GPU by its id. Raises caffe.Error in a build without CUDA.");
  module.def("set_random_seed", &caffe::Caffe::set_random_seed, py::arg("seed"),
             "Makes the random numbers of this thread repeat: fillers, Dropout, shuffling, crops.");
  module.def(
      "layer_type_list", [] { return MakeVec("StringVec", caffe::LayerRegistry<float>::LayerTypeList()); },
      "The layer types there are.");

  module.def(
      "init_log", &InitLog, py::arg("level") = 0, py::arg("stderr") = false,
      "Chooses the least severity that is logged (0 info, 1 warning, 2 error) and whether it goes to stderr alone.");
  module.def(
      "log", [](const std::string& message) { LOG(INFO) << message; }, py::arg("message"),
      "Writes a line into the engine's log.");

  module.def("solver_count", &caffe::Caffe::solver_count, "How many solvers train together; 1 unless it was set.");
  module.def("set_solver_count", &caffe::Caffe::set_solver_count, py::arg("count"),
             "Says how many solvers train together.");
  module.def("solver_rank", &caffe::Caffe::solver_rank, "Which of them this thread runs; 0 unless it was set.");
  module.def("set_solver_rank", &caffe::Caffe::set_solver_rank, py::arg("rank"),
             "Says which of them this thread runs.");
  module.def("set_multiprocess", &caffe::Caffe::set_multiprocess, py::arg("value"),
             "Whether each of them has a process of its own.");

  py::class_<caffe::Timer>(module, "Timer", "A stop watch.")
      .def(py::init<>())
      .def("start", &caffe::Timer::Start, "Starts from 0.")
      .def("stop", &caffe::Timer::Stop, "Stops.")
      .def_property_readonly("ms", &caffe::Timer::MilliSeconds, "Milliseconds from start to stop; stops the watch.");
}

}  // namespace pycaffe
