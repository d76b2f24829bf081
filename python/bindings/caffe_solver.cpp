// caffe.SGDSolver and its like: training from scripts.
#include <functional>
#include <utility>

#include "caffe/sgd_solvers.hpp"
#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

using Solver = caffe::Solver<float>;
using SolverPtr = std::shared_ptr<Solver>;
using SolverClass = py::class_<Solver, SolverPtr>;
using Unlocked = py::call_guard<py::gil_scoped_release>;

class SolverCallback : public Solver::Callback {
 public:
  SolverCallback(std::function<void()> on_start, std::function<void()> on_gradients_ready)
      : on_start_(std::move(on_start)), on_gradients_ready_(std::move(on_gradients_ready)) {}

 protected:
  void on_start() override { on_start_(); }
  void on_gradients_ready() override { on_gradients_ready_(); }

 private:
  std::function<void()> on_start_, on_gradients_ready_;  // take the interpreter's lock themselves
};

// Asked after every iteration: Ctrl-C ends a long training with KeyboardInterrupt, the solver left as it then is.
caffe::SolverAction::Enum CheckInterrupt() {
  const py::gil_scoped_acquire locked;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  return caffe::SolverAction::NONE;
}

template <typename AnySolver>
std::shared_ptr<AnySolver> Interruptible(std::shared_ptr<AnySolver> solver) {
  solver->SetActionFunction(&CheckInterrupt);
  return solver;
}

template <typename AnySolver>
std::shared_ptr<AnySolver> MakeSolver(const Path& file) {
  RequireFile(file);
  const py::gil_scoped_release unlocked;
  return Interruptible(std::make_shared<AnySolver>(file.string()));
}

SolverPtr GetSolver(const Path& file) {
  RequireFile(file);
  const py::gil_scoped_release unlocked;
  caffe::SolverParameter param;
  caffe::ReadSolverParamsFromTextFileOrDie(file.string(), &param);
  return Interruptible(SolverPtr(caffe::SolverRegistry<float>::CreateSolver(param)));
}

void AddCallback(const SolverPtr& solver, std::function<void()> on_start, std::function<void()> on_gradients_ready) {
  auto callback = std::make_shared<SolverCallback>(std::move(on_start), std::move(on_gradients_ready));
  solver->add_callback(callback.get());
  KeepWith(solver, std::move(callback));
}

// The solver's own message, which a script may change.
caffe::SolverParameter& Param(Solver& solver) { return const_cast<caffe::SolverParameter&>(solver.param()); }

void BindTraining(SolverClass& solver) {
  solver
      .def(
          "solve",
          [](Solver& s, const std::optional<Path>& resume_file) {
            if (resume_file) RequireFile(*resume_file);
            const py::gil_scoped_release unlocked;
            resume_file ? s.Solve(resume_file->string()) : s.Solve();
          },
          py::arg("resume_file") = py::none(), "Trains up to max_iter, from a .solverstate if one is given.")
      .def("step", &Solver::Step, py::arg("iterations"), Unlocked(),
           "Trains for some iterations; tests, displays and takes snapshots when they are due.")
      .def(
          "restore",
          [](Solver& s, const Path& file) {
            RequireFile(file);
            const py::gil_scoped_release unlocked;
            s.Resume(file.string().c_str());
          },
          py::arg("file"),
          "Goes on from a .solverstate or .solverstate.h5: weights, iteration, history, data and random numbers.")
      .def("snapshot", &Solver::Snapshot, Unlocked(), "Writes a .caffemodel and a .solverstate now.")
      .def("apply_update", &Solver::ApplyUpdate, Unlocked(),
           "Updates the weights from the gradients that are there, and counts an iteration.")
      .def(
          "share_weights", [](Solver& s, Network& net) { net.ShareTrainedLayersWith(s.net().get()); }, py::arg("net"),
          "Lets `net` use the memory of the trained parameters.")
      .def("add_callback", &AddCallback, py::arg("on_start"), py::arg("on_gradients_ready"),
           "Calls on_start() before every iteration, on_gradients_ready() before the weights are updated.");
}

template <typename AnySolver>
void BindSolverType(py::module_& module, const char* name, const char* doc) {
  py::class_<AnySolver, caffe::SGDSolver<float>, std::shared_ptr<AnySolver>>(module, name, doc)
      .def(py::init(&MakeSolver<AnySolver>), py::arg("solver_file"));
}

}  // namespace

void BindSolver(py::module_& module) {
  py::class_<caffe::SolverParameter>(module, "SolverParameter", "The parameters of a solver.")
      .def_property(
          "base_lr", [](const caffe::SolverParameter& param) { return param.base_lr(); },
          [](caffe::SolverParameter& param, float value) { param.set_base_lr(value); },
          "The learning rate that lr_policy starts from; may be set while training.")
      .def_property_readonly(
          "max_iter", [](const caffe::SolverParameter& param) { return param.max_iter(); }, "Where solve() ends.")
      .def_property_readonly(
          "display", [](const caffe::SolverParameter& param) { return param.display(); },
          "Iterations from one line of the log to the next.")
      .def_property_readonly(
          "layer_wise_reduce", [](const caffe::SolverParameter& param) { return param.layer_wise_reduce(); },
          "Whether several GPUs would share gradients layer by layer.");

  SolverClass solver(module, "Solver", "Trains a net; made by get_solver or as one of the classes below it.");
  solver
      .def_property_readonly(
          "net", [](Solver& s) { return s.net(); }, "The net that is trained.")
      .def_property_readonly(
          "test_nets", [](Solver& s) { return MakeVec("NetVec", s.test_nets()); },
          "The nets it is tested on; they use its weights from their first test on, or after share_with.")
      .def_property_readonly("iter", &Solver::iter, "Iterations done.")
      .def_property_readonly(
          "type", [](const Solver& s) { return std::string(s.type()); }, "The name of its type.")
      .def_property_readonly("param", &Param, py::return_value_policy::reference_internal, "Its SolverParameter.");
  BindTraining(solver);

  using SGD = caffe::SGDSolver<float>;
  py::class_<SGD, Solver, std::shared_ptr<SGD>>(module, "SGDSolver", "Stochastic gradient descent with momentum.")
      .def(py::init(&MakeSolver<SGD>), py::arg("solver_file"))
      .def_property_readonly("lr", &SGD::GetLearningRate, "The learning rate of this iteration, by lr_policy.");
  BindSolverType<caffe::NesterovSolver<float>>(module, "NesterovSolver", "Nesterov's accelerated gradient.");
  BindSolverType<caffe::AdaGradSolver<float>>(module, "AdaGradSolver", "Steps scaled by all past gradients.");
  BindSolverType<caffe::RMSPropSolver<float>>(module, "RMSPropSolver", "Steps scaled by recent gradients.");
  BindSolverType<caffe::AdaDeltaSolver<float>>(module, "AdaDeltaSolver", "Steps scaled by recent gradients and steps.");
  BindSolverType<caffe::AdamSolver<float>>(module, "AdamSolver", "Adaptive moments.");
  module.def("get_solver", &GetSolver, py::arg("solver_file"), "The solver of the type that its prototxt says.");
}

}  // namespace pycaffe
